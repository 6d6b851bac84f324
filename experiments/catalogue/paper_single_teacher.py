"""Table 1 and figure 2 of Schmitt et al. 2018: one small teacher, a large student."""

from experiments.catalogue import _xland
from experiments.experiment import Condition

_TEACHER = (_xland.multi_task_teacher(_xland.SMALL),)

EXPERIMENT = _xland.of_large_students(
    title="One small teacher, a large student (table 1, figure 2)",
    shows="How much sooner is a large student where a small teacher helps it?",
    conditions=(
        Condition("from scratch"),
        _xland.kickstarted("kickstarted", *_TEACHER),
        Condition("from scratch, population", _xland.POPULATION),
        Condition(
            "kickstarted, population", _xland.POPULATION_OF_ONE_TEACHER, _TEACHER
        ),
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
)
