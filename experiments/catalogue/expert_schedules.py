"""Two schedules of λ for the teachers of table 3."""

from experiments.catalogue.common import xland
from experiments.experiment import Condition
from experiments.training import Teacher


def _both(label: str, *teachers: Teacher) -> tuple[Condition, ...]:
    return (
        xland.kickstarted(f"{label}, 1 to 0 by 20 %", *teachers),
        Condition(f"{label}, 4 to 0 by 50 %", (), teachers, 0.5),
    )


EXPERIMENT = xland.of_large_students(
    title="Schedules of λ for experts and for one teacher",
    shows="Does the schedule that is good for one teacher do for experts?",
    conditions=(
        Condition("from scratch"),
        *_both("one small teacher", xland.multi_task_teacher(xland.SMALL)),
        *_both("one large teacher", xland.multi_task_teacher(xland.LARGE)),
        *_both("multiple small experts", *xland.experts(xland.SMALL)),
        *_both("multiple large experts", *xland.experts(xland.LARGE)),
    ),
    budget_shares=(0.05, 0.1, 0.2, 0.5, 1.0),
    levels=(26.3, 80.0),
    finding="""\
No: what teachers know decides how long they are worth listening to. With experts, who
know all tasks but one, the larger λ that falls later has 79 and 76 points at a fifth of
the budget over 50 and 48, and both end alike. With the small teacher of all tasks,
whose 47 points a student can surpass, the smaller one that falls sooner ends at 68.5
over 52. The large one (33 points) lifts no student above itself by either.""",
)
