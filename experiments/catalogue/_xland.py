"""What the experiments on grids share: eight tasks in the place of DMLab-30's thirty.

XLand-MiniGrid is stepped as compiled batches, so that two cores carry many seeds. Small
and large networks differ in their recurrent core: the observations, 7x7 codes, leave no
room for the two torsos of the paper.
"""

from collections.abc import Sequence
from typing import Any

from experiments.experiment import Condition, Experiment
from experiments.training import Teacher, Training

TASKS = tuple(
    f"xland:MiniGrid-{level}"
    for level in (
        "Empty-8x8",
        "Empty-16x16",
        "EmptyRandom-8x8",
        "DoorKey-5x5",
        "DoorKey-6x6",
        "DoorKey-8x8",
        "FourRooms",
        "Unlock",
    )
)
TOTAL_FRAMES = 1_000_000
# Of one task each; eight experts take less than thrice the frames of a student.
EXPERT_FRAMES = 300_000
# Long enough for an episode to end, too short to learn from it.
WEAK_FRAMES = 20_000
# Small batches and large steps: with 64 environments, batches of 16 and the default
# learning rate an expert of DoorKey-5x5 had a return of 0.22 after 300,000 frames.
FLAGS = (
    "--action_repeat=1",
    "--environments_per_actor=16",
    "--batch_size=4",
    "--learning_rate=1e-3",
)
SEEDS = (1, 2, 3, 4, 5)
# IMPALA's rule needs hundreds of events and many episodes; here there are few of both.
POPULATION = (
    "--population_size=4",
    "--population_rule=welch",
    "--population_events=40",
)
SMALL = "--core_size=64"
LARGE = "--core_size=256"
# Students have other seeds.
_TEACHER_SEED = 101


def of_large_students(
    title: str, shows: str, conditions: Sequence[Condition], **more: Any
) -> Experiment:
    """Returns an experiment of large students of all tasks.

    Args:
      title: of the experiment.
      shows: its question.
      conditions: of it.
      **more: further fields of Experiment.
    """
    return Experiment(
        title=title,
        shows=shows,
        tasks=TASKS,
        total_frames=TOTAL_FRAMES,
        seeds=SEEDS,
        flags=(*FLAGS, LARGE),
        conditions=tuple(conditions),
        **more,
    )


def multi_task_teacher(size: str) -> Teacher:
    """Returns one teacher of all tasks.

    Args:
      size: SMALL or LARGE.
    """
    return Teacher(Training(TASKS, _TEACHER_SEED, TOTAL_FRAMES, (*FLAGS, size)))


def experts(size: str, weak_task: str = "") -> tuple[Teacher, ...]:
    """Returns one teacher for each task.

    Args:
      size: SMALL or LARGE.
      weak_task: whose expert was trained for WEAK_FRAMES only.
    """
    return tuple(
        Teacher(
            Training(
                (task,),
                _TEACHER_SEED,
                WEAK_FRAMES if task == weak_task else EXPERT_FRAMES,
                (*FLAGS, size),
            ),
            task,
        )
        for task in TASKS
    )
