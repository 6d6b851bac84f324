"""Table 2 of Schmitt et al. 2018: how λ falls."""

from experiments.catalogue.common import xland
from experiments.experiment import Condition

_TEACHER = (xland.multi_task_teacher(xland.SMALL),)


def _constant(weight: int) -> Condition:
    return Condition(
        f"constant {weight}",
        (f"--kickstarting_weight={weight}", "--kickstarting_schedule=constant"),
        _TEACHER,
        figure="constant",
    )


def _linear(weight: int, share: float) -> Condition:
    return Condition(
        f"{weight} to 0 by {share:.0%}",
        (f"--kickstarting_weight={weight}",),
        _TEACHER,
        weaned_share=share,
        figure=f"from_{weight}",
    )


EXPERIMENT = xland.of_large_students(
    title="Schedules of λ (table 2)",
    shows="Is the best schedule that whose λ sums to a tenth of the budget?",
    conditions=(
        Condition("from scratch"),
        *(_constant(weight) for weight in (1, 2)),
        *(_linear(weight, share) for weight in (1, 2) for share in (0.1, 0.2, 0.4)),
        Condition(
            "population",
            xland.POPULATION_OF_ONE_TEACHER,
            _TEACHER,
            figure="constant",
        ),
    ),
    budget_shares=(0.1, 1.0),
    traces=("global_weight",),
    paper_scores={
        "from scratch": {0.1: 31.1, 1.0: 51.9},
        "population": {0.1: 39.4, 1.0: 56.9},
        "constant 1": {0.1: 40.0, 1.0: 41.2},
        "1 to 0 by 10 %": {0.1: 41.3, 1.0: 59.4},
        "1 to 0 by 20 %": {0.1: 40.1, 1.0: 60.8},
        "1 to 0 by 40 %": {0.1: 39.9, 1.0: 53.1},
        "2 to 0 by 10 %": {0.1: 40.7, 1.0: 60.5},
        "2 to 0 by 20 %": {0.1: 40.0, 1.0: 51.5},
        "2 to 0 by 40 %": {0.1: 39.2, 1.0: 50.3},
    },
    paper="""\
| λ | at 10 % of the budget | at 100 % |
|---|---|---|
| from scratch | 31.1 | 51.9 |
| population | 39.4 | 56.9 |
| constant 1 | 40.0 | 41.2 |
| constant 2 | 39.6 | 40.8 |
| 1 to 0 by 10 % | 41.3 | 59.4 |
| 1 to 0 by 20 % | 40.1 | 60.8 |
| 1 to 0 by 40 % | 39.9 | 53.1 |
| 2 to 0 by 10 % | 40.7 | 60.5 |
| 2 to 0 by 20 % | 40.0 | 51.5 |
| 2 to 0 by 40 % | 39.2 | 50.3 |""",
    finding="""\
It holds where λ begins at 1, and there only just: it sums to 5, 10 and 20 % of the
budget when it falls by 10, 20 and 40 %, and the scores at the end are 66.7, 68.5 and
62.3, with intervals of the first two that overlap. From 2 it sums to 10, 20 and 40 %,
and the scores are 61.9, 61.5 and 59.7: of two schedules with one sum the gentler is
better here, where in the paper they are alike. A λ that stays is worst, at 50.9 and
50.1, just above its teacher's 47.2, as in the paper; but there it ends below from
scratch (41 to 52), and so do slow schedules, while here from scratch is at 31.8 and far
from done. At a tenth of the budget all of them are at 40 to 45, as in the paper.

Evolution ends at 61.6 (six members; its best by training score): above both constants
and below the best schedules, as the paper's (56.9 between 41 and 60.8). It lowers λ
late. At their teacher's level members are equal whatever their λ, so that until half
the budget there are one to four copies a population (in some 120 decisions) and λ
strays, from 0.06 to 27. Then those with small ones are five points better, and are
copied: at the end λ is below 0.2 in every member of seeds 1, 2 and 4 (60, 66 and 70
points in the mean over members), in half of those of seed 3 (55), and in one of seed 5
(50). The paper's λ is negligible after a fifth of its budget, which has a few hundred
events and 24 members (IMPALA's) to do it in; here there are 40 and six.""",
)
