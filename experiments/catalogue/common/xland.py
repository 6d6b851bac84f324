"""What the experiments on grids share: eight tasks in the place of DMLab-30's thirty.

XLand-MiniGrid is stepped as batches of arrays, so that two cores carry many seeds. As
in the paper, small and large networks differ in their torso, not in their recurrent
core: those of the paper are for pixels, these for 7x7 codes.
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
        "EmptyRandom-16x16",
        "FourRooms",
        "DoorKey-5x5",
        "DoorKey-6x6",
        "DoorKey-8x8",
    )
)
# From scratch a large network is halfway there by then, as the paper's is at its end.
TOTAL_FRAMES = 300_000
EXPERT_FRAMES = 500_000
# Experts train in a small room as well, and that of the hardest task in the easiest of
# its kind: alone, pilots of DoorKey-6x6 had learned nothing after 400,000 frames.
_ROOM = "xland:MiniGrid-EmptyRandom-6x6"
_EASIER_TASKS = {
    "xland:MiniGrid-DoorKey-8x8": ("xland:MiniGrid-DoorKey-5x5", _ROOM),
}
# Long enough for an episode to end, too short to learn from it.
WEAK_FRAMES = 20_000
# From pilots of one seed each. With 32 environments, in whose batches the same rooms
# come again sooner, a student got stuck where it had learned the empty rooms.
FLAGS = (
    "--action_repeat=1",
    "--environments_per_actor=64",
    "--batch_size=8",
    "--learning_rate=2e-3",
    "--entropy_cost=0.01",
    "--vtrace_lambda=1",
)
SEEDS = (1, 2, 3, 4, 5)
# From pilots of one or two seeds each: of three members by Welch's test one copied in
# half a run, and λ strayed to 27; by truncation members copied so often that few had
# the episodes to be compared by; eight members by IMPALA's rule ended at 66 to 74.
POPULATION = (
    "--population_size=6",
    "--population_rule=score_gap",
    "--population_events=40",
    "--population_min_episodes=4",
)
# Where λ begins the paper does not say.
TAUGHT_POPULATION = (*POPULATION, "--kickstarting_weight=1")
SHARED_WEIGHT = "--nopopulation_factors"
# One teacher has one weight.
POPULATION_OF_ONE_TEACHER = (*TAUGHT_POPULATION, SHARED_WEIGHT)
CONSTANT = ("--kickstarting_schedule=constant", "--kickstarting_weight=1")
SMALL = ("--torso=small_grid", "--core_size=64")
LARGE = ("--torso=grid", "--core_size=64")
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
        flags=(*FLAGS, *LARGE),
        conditions=tuple(conditions),
        published=True,
        **more,
    )


def multi_task_teacher(size: tuple[str, ...], share: float = 1.0) -> Teacher:
    """Returns one teacher of all tasks.

    Args:
      size: SMALL or LARGE.
      share: of a student's frames that it was trained for.
    """
    frames = round(share * TOTAL_FRAMES)
    flags = (*FLAGS, *size)
    return Teacher(Training(TASKS, _TEACHER_SEED, frames, flags, published=True))


def kickstarted(label: str, *teachers: Teacher, weight: float = 1) -> Condition:
    """Returns the condition of teachers whose λ falls as table 2 says is good.

    Args:
      label: of the condition.
      *teachers: each of one task or of all.
      weight: λ of each of them, at the beginning.
    """
    return Condition(
        label, (f"--kickstarting_weight={weight:g}",), teachers, weaned_share=0.2
    )


def experts(
    size: tuple[str, ...], weak_task: str = "", frames: int = EXPERT_FRAMES
) -> tuple[Teacher, ...]:
    """Returns one teacher for each task.

    Args:
      size: SMALL or LARGE.
      weak_task: whose expert was trained for WEAK_FRAMES only.
      frames: that the others were trained for.
    """
    return tuple(
        Teacher(
            Training(
                (task, *_EASIER_TASKS.get(task, (_ROOM,))),
                _TEACHER_SEED,
                WEAK_FRAMES if task == weak_task else frames,
                (*FLAGS, *size),
                published=True,
            ),
            task,
        )
        for task in TASKS
    )
