"""Table 1 and figure 2 of Schmitt et al. 2018: one small teacher, a large student."""

from experiments.catalogue.common import xland
from experiments.experiment import Condition

_TEACHER = (xland.multi_task_teacher(xland.SMALL),)

EXPERIMENT = xland.of_large_students(
    title="One small teacher, a large student (table 1, figure 2)",
    shows="How much sooner is a large student where a small teacher helps it?",
    conditions=(
        Condition("from scratch"),
        xland.kickstarted("kickstarted", *_TEACHER),
        Condition("from scratch, population", xland.POPULATION),
        Condition("kickstarted, population", xland.POPULATION_OF_ONE_TEACHER, _TEACHER),
    ),
    budget_shares=(0.1, 0.2, 0.5, 1.0),
    levels=(20.0, 25.0, 30.0),
    traces=("global_weight", "learning_rate", "entropy_cost"),
    paper_scores={
        "from scratch": {0.05: 24.1, 0.1: 31.1, 0.2: 37.5, 1.0: 51.9},
        "kickstarted": {0.05: 37.4, 0.1: 39.4, 0.2: 42.4, 1.0: 56.9},
    },
    paper="""\
| score at | 5 % of the budget | 10 % | 20 % | 100 % | frames to 30 | to 40 | to 50 |
|---|---|---|---|---|---|---|---|
| kickstarted | 37.4 | 39.4 | 42.4 | 56.9 | 0.13B | 1.39B | 5.31B |
| from scratch | 24.1 | 31.1 | 37.5 | 51.9 | 0.99B | 3.26B | 8.14B |
| gain | +55.2 % | +26.7 % | +13.1 % | +9.6 % | 6.92× | 2.35× | 1.53× |""",
    finding="""\
After a tenth of the budget the kickstarted student is at 44.7 points, and from scratch
at 31.8 after all of it. To 30, the top level here, it takes 5,000 frames against
258,000 by the medians of first touches (50 times fewer; the paper: 1.53 times at its
top level of 50). First touches flatter a student whose short episodes end first: the
mean curves over seeds stay above 30 from 13,000 frames on against 241,000, which is
18.5 times fewer. It ends at 68.5, above its teacher's 47.2, which from scratch does not
reach. As in the paper the gain is greatest at first; there it melts to 9.6 % at the
end, and here, where from scratch has learned a third of what it could, it is still 115
%.

With populations, as the paper has it: 61.6 kickstarted, 43.6 from scratch (41 % more),
and 30 is touched after 5,000 and 74,000 frames. Evolution lifts from scratch by twelve
points and costs the kickstarted student seven, since a λ set by hand falls sooner than
evolution lets it fall: table 2 has why. In figure 2 λ sinks from the beginning and is
negligible after a fifth of the budget; the winners' λ here wanders until half of the
budget and then sinks by up to two powers of ten.""",
)
