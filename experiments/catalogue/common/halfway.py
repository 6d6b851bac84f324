"""What the experiments of the paper's first claim share: one teacher, half-way."""

from experiments.catalogue.common import doom
from experiments.experiment import Condition, Experiment
from experiments.training import Teacher

_SEEDS = (1, 2, 3, 4, 5)
_ADVICE_SHARE = 0.4


def one_teacher(level: str, total_frames: int, finding: str = "") -> Experiment:
    """Returns the experiment of a level's half-way teacher, which can be passed.

    Args:
      level: of doom, that has such a teacher.
      total_frames: environment frames of each run.
      finding: what came out, in Markdown.
    """
    teachers = (Teacher(f"teachers/study/doom_halfway/{level}"),)
    return Experiment(
        title=f"A half-way teacher: {level}",
        shows="Is a student sooner at its teacher's return, and does it end above it?",
        tasks=(f"doom:{level}",),
        total_frames=total_frames,
        seeds=_SEEDS,
        conditions=(
            doom.FROM_SCRATCH,
            Condition(
                "kickstarted (linear λ)", teachers=teachers, weaned_share=_ADVICE_SHARE
            ),
            Condition("constant λ", doom.CONSTANT, teachers),
            Condition(
                "distillation only", (*doom.CONSTANT, "--noreinforcement"), teachers
            ),
        ),
        evaluation_episodes=doom.EVALUATION_EPISODES,
        finding=finding,
    )
