"""Question 7 of the paper's readers."""

from experiments.catalogue import _doom
from experiments.experiment import Condition
from experiments.training import Teacher

_LEVEL = "defend_the_line"


def _taught(label: str, teacher: str) -> Condition:
    return Condition(label, teachers=(Teacher(teacher),), weaned_share=0.5)


EXPERIMENT = _doom.on_level(
    _LEVEL,
    title="7. Is the auxiliary loss only entropy regularisation?",
    shows="Is the auxiliary loss only entropy regularisation?",
    conditions=(
        _doom.FROM_SCRATCH,
        _taught("uniform teacher", "experiments.bad_teachers:random_in_doom"),
        _taught(
            "softened teacher",
            f"experiments.softened_teachers:softened_in_{_LEVEL}",
        ),
        _taught("the teacher", f"teachers/study/doom/{_LEVEL}"),
    ),
    budget_shares=(0.25, 0.5, 1.0),
)
