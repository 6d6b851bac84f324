"""Question 1 of the paper's readers."""

from experiments.catalogue import _xland
from experiments.experiment import Condition
from experiments.training import Teacher

EXPERIMENT = _xland.of_large_students(
    title="1. How good must the teacher be?",
    shows="How good must the teacher be?",
    conditions=(
        Condition("from scratch"),
        *(
            _xland.kickstarted(
                f"teacher of {share:.0%} of the frames",
                _xland.multi_task_teacher(_xland.SMALL, share),
            )
            for share in (0.1, 0.25, 0.5, 1.0)
        ),
        _xland.kickstarted(
            "random teacher", Teacher("experiments.bad_teachers:random_on_grids")
        ),
        _xland.kickstarted(
            "adversary", Teacher("experiments.bad_teachers:adversary_on_grids")
        ),
    ),
    budget_shares=(0.1, 0.5, 1.0),
)
