"""Table 2 of Schmitt et al. 2018: how λ falls."""

from experiments.catalogue import _xland
from experiments.experiment import Condition

_TEACHER = (_xland.multi_task_teacher(_xland.SMALL),)


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


EXPERIMENT = _xland.of_large_students(
    title="Schedules of λ (table 2)",
    shows="Is the best schedule that whose λ sums to a tenth of the budget?",
    conditions=(
        Condition("from scratch"),
        *(_constant(weight) for weight in (1, 2)),
        *(_linear(weight, share) for weight in (1, 2) for share in (0.1, 0.2, 0.4)),
        Condition(
            "population",
            _xland.POPULATION_OF_ONE_TEACHER,
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
)
