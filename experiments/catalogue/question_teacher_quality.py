"""Question 1 of the paper's readers."""

from experiments.catalogue import _doom
from experiments.experiment import Condition
from experiments.training import Teacher, Training

_LEVEL = "defend_the_line"
_TASK = (f"doom:{_LEVEL}",)
_FRAMES = _doom.FRAMES[_LEVEL]


def _frozen_at(share: float) -> Condition:
    """Returns the condition of a teacher that had a share of a student's frames."""
    training = Training(_TASK, 101, round(share * _FRAMES))
    return Condition(
        f"teacher of {share:.0%} of the frames", (), (Teacher(training),), 0.5
    )


EXPERIMENT = _doom.on_level(
    _LEVEL,
    title="1. How good must the teacher be?",
    shows="How good must the teacher be?",
    conditions=(
        _doom.FROM_SCRATCH,
        *(_frozen_at(share) for share in (0.1, 0.25, 0.5, 1.0)),
        Condition(
            "random teacher",
            teachers=(Teacher("experiments.bad_teachers:random_in_doom"),),
            weaned_share=0.5,
        ),
        Condition(
            "adversary",
            teachers=(Teacher(f"experiments.bad_teachers:adversary_in_{_LEVEL}"),),
            weaned_share=0.5,
        ),
    ),
    budget_shares=(0.25, 0.5, 1.0),
)
