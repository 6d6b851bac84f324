"""Question 3 of the paper's readers."""

from experiments.catalogue import _doom
from experiments.experiment import Condition
from experiments.training import Teacher

_LEVEL = "defend_the_line"
_FIRST = Teacher(f"teachers/doom/{_LEVEL}")
_SECOND = Teacher(f"teachers/study/doom/{_LEVEL}")

EXPERIMENT = _doom.on_level(
    _LEVEL,
    title="3. Are two teachers for one task better than the better one?",
    shows="Are two teachers for one task better than the better one?",
    conditions=(
        Condition("the better one", teachers=(_FIRST,), weaned_share=0.5),
        Condition("the other one", teachers=(_SECOND,), weaned_share=0.5),
        Condition("both", teachers=(_FIRST, _SECOND), weaned_share=0.5),
        Condition(
            "both, at half the weight",
            ("--kickstarting_weight=2",),
            (_FIRST, _SECOND),
            0.5,
        ),
    ),
    budget_shares=(0.25, 0.5, 1.0),
)
