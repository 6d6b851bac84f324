"""Question 7 of the paper's readers."""

from experiments.catalogue import _xland
from experiments.experiment import Condition
from experiments.training import Teacher

EXPERIMENT = _xland.of_large_students(
    title="7. Is the auxiliary loss only entropy regularisation?",
    shows="Is the auxiliary loss only entropy regularisation?",
    conditions=(
        Condition("from scratch"),
        _xland.kickstarted(
            "uniform teacher", Teacher("experiments.bad_teachers:random_on_grids")
        ),
        _xland.kickstarted(
            "softened teacher",
            Teacher("experiments.softened_teachers:softened_on_grids"),
        ),
        _xland.kickstarted("the teacher", _xland.multi_task_teacher(_xland.SMALL)),
    ),
    budget_shares=(0.1, 0.5, 1.0),
)
