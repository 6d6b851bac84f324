"""BabyAI with and without its missions, all else equal.

Without, the student's network lacks the language core; its teacher still reads. In the
first two levels every wrong object that is gone to costs time; in the others a wrong
object or door ends the episode with nothing. From easy to hard.
"""

from experiments.experiment import Condition, Experiment
from experiments.training import Teacher

_BOT = (Teacher("examples.scripted_teacher:make"),)
_WEANED_SHARE = 5 / 6

EXPERIMENT = Experiment(
    title="Are instructions used? Four BabyAI levels",
    shows="Does a student of levels with missions in words use the words?",
    tasks=tuple(
        f"gym:BabyAI-{level}-v0"
        for level in (
            "GoToLocalS6N4",
            "GoToLocalS8N7",
            "PickupDistDebug",
            "OpenDoorDebug",
        )
    ),
    total_frames=400_000,
    seeds=(1, 2, 3),
    flags=(
        "--action_repeat=1",
        "--environments_per_actor=16",
        "--batch_size=4",
        "--learning_rate=1.5e-3",
        "--discount=0.99",
    ),
    conditions=(
        Condition("does not see them", ("--nolanguage",), _BOT, _WEANED_SHARE),
        Condition("sees its instructions", ("--language",), _BOT, _WEANED_SHARE),
    ),
    evaluation_episodes=30,
    published=True,
    finding="Yes; [babyai.md](babyai.md) says more of it.",
)
