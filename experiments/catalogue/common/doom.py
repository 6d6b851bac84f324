"""What the experiments on single levels of doom share."""

from collections.abc import Sequence
from typing import Any

from experiments.experiment import Condition, Experiment
from experiments.training import Teacher

# Of each level, what from scratch comes near its teacher in.
FRAMES = {"defend_the_center": 1_000_000, "defend_the_line": 400_000}
SEEDS = (1, 2, 3)
EVALUATION_EPISODES = 30
FROM_SCRATCH = Condition("from scratch")
CONSTANT = ("--kickstarting_schedule=constant",)
RETURN_GAP = ("--kickstarting_schedule=return_gap",)


def on_level(
    level: str, title: str, shows: str, conditions: Sequence[Condition], **more: Any
) -> Experiment:
    """Returns an experiment on one level.

    Args:
      level: of FRAMES.
      title: of the experiment.
      shows: its question.
      conditions: of it.
      **more: further fields of Experiment.
    """
    return Experiment(
        title=title,
        shows=shows,
        tasks=(f"doom:{level}",),
        total_frames=FRAMES[level],
        seeds=SEEDS,
        conditions=tuple(conditions),
        evaluation_episodes=EVALUATION_EPISODES,
        published=True,
        **more,
    )


def kickstarting(level: str, finding: str) -> Experiment:
    """Returns the experiment of one teacher of one level."""
    teachers = (Teacher(f"teachers/study/doom/{level}"),)
    return on_level(
        level,
        title=f"One teacher, one level: {level}",
        shows="Does advice that fades beat none, advice that stays, and advice alone?",
        conditions=(
            FROM_SCRATCH,
            Condition("kickstarted (linear λ)", teachers=teachers, weaned_share=0.5),
            Condition("constant λ", CONSTANT, teachers),
            Condition("distillation only", (*CONSTANT, "--noreinforcement"), teachers),
        ),
        finding=finding,
    )


def bad_teachers(level: str, finding: str) -> Experiment:
    """Returns the experiment of bad teachers of one level.

    No card says how good they are at it, so that they play before training.
    """
    return on_level(
        level,
        title=f"Bad teachers: {level}",
        shows="Does a bad teacher sink a student whose λ follows the return gap?",
        conditions=(
            FROM_SCRATCH,
            Condition(
                "adversary",
                RETURN_GAP,
                (Teacher(f"experiments.bad_teachers:adversary_in_{level}"),),
            ),
            Condition(
                "random",
                RETURN_GAP,
                (Teacher("experiments.bad_teachers:random_in_doom"),),
            ),
            Condition(
                "health_gathering's",
                RETURN_GAP,
                (Teacher("teachers/study/doom_published/health_gathering"),),
            ),
        ),
        finding=finding,
    )
