"""Question 3 of the paper's readers."""

from experiments.catalogue import _doom
from experiments.experiment import Condition, Experiment
from experiments.training import Teacher

_LEVEL = "defend_the_line"
_FIRST = Teacher(f"teachers/doom/{_LEVEL}")
_SECOND = Teacher(f"teachers/study/doom/{_LEVEL}")

EXPERIMENT = Experiment(
    title="3. Are two teachers for one task better than the better one?",
    shows="Are two teachers for one task better than the better one?",
    tasks=(f"doom:{_LEVEL}",),
    total_frames=_doom.FRAMES[_LEVEL],
    seeds=_doom.SEEDS,
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
    evaluation_episodes=_doom.EVALUATION_EPISODES,
    budget_shares=(0.25, 0.5, 1.0),
)
