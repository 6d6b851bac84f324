"""The demo of ./kickstart: one task with and without a teacher, one after the other.

Trains a kickstarted student and one from scratch for the same number of environment
frames, draws both learning curves with the teacher's score, and says what to try next.
"""

import os

from absl import flags
from rich import console as rich_console
from rich import table as rich_table

from experiments import runs
from kickstarting import config as config_lib
from kickstarting import learning_curves
from kickstarting.environments import suites
from launch import command_line

_TASK = flags.DEFINE_string("task", "doom:defend_the_center", "What is learned.")
_TEACHER = flags.DEFINE_string(
    "teacher", None, "Folder of the teacher; default: the shipped one of the task."
)
_FRAMES = flags.DEFINE_integer(
    "frames", 400_000, "Environment frames of each of the two runs."
)
_SEED = flags.DEFINE_integer("seed", 1, "Seeds both runs.")
_TRAIN_FLAGS = flags.DEFINE_list(
    "train_flags", [], "Further flags of launch.train for both runs, comma-separated."
)
_RESULTS = flags.DEFINE_string("results", "runs/demo", "Where everything goes.")


def main(argv: list[str]) -> int:
    """Runs the demo; returns the status of a run that did not finish, else 0."""
    del argv
    if _FRAMES.value < 1:
        raise config_lib.ConfigError(f"--frames must be above 0, not {_FRAMES.value}")
    teacher = _TEACHER.value or os.path.join("teachers", *_TASK.value.split(":"))
    score = runs.teacher_score(teacher, _TASK.value)
    console = rich_console.Console()
    pair = [
        runs.Run(
            task=_TASK.value,
            condition=condition,
            seed=_SEED.value,
            total_frames=_FRAMES.value,
            teacher=teacher,
            results=_RESULTS.value,
            flags=tuple(_TRAIN_FLAGS.value),
        )
        for condition in ("kickstarted", "from_scratch")
    ]
    for number, run in enumerate(pair, 1):
        console.rule(f"{number} of 2: {runs.LABELS[run.condition]}")
        status = run.train()
        if status:
            return status
    path = os.path.join(_RESULTS.value, f"{_TASK.value.replace(':', '_')}.png")
    reference = suites.reference_score(_TASK.value)
    learning_curves.learning_curves(
        [run.curve() for run in pair],
        path,
        _TASK.value,
        teacher_return=score.mean_return,
        random_return=reference.random if reference else None,
    )
    console.rule("The demo's result")
    console.print(_table(pair, score.mean_return))
    for line in (
        f"Curves:     {path}",
        f"Video:      {os.path.join(pair[0].logdir, 'episode.mp4')}",
        f"Checkpoint: {os.path.join(pair[0].logdir, 'checkpoints')}",
        "",
        "Next, your own task and teacher:",
        "  ./kickstart --tasks=doom:defend_the_line "
        "--teachers=teachers/doom/defend_the_line",
    ):
        console.print(line, highlight=False, soft_wrap=True)
    return 0


def _table(pair: list[runs.Run], teacher_return: float) -> rich_table.Table:
    view = rich_table.Table(title=f"{_TASK.value}, {_FRAMES.value:,} frames each")
    for name in ("", "final return", "frames to the teacher's return", "minutes"):
        view.add_column(name, justify="left" if not name else "right")
    view.add_row("teacher", f"{teacher_return:.2f}", "", "")
    for run in pair:
        frames = runs.frames_to_reach(run.curve(), teacher_return)
        view.add_row(
            runs.LABELS[run.condition],
            f"{run.record().final_return:.2f}",
            f"{frames:,.0f}" if frames < float("inf") else "not reached",
            f"{run.record().seconds / 60:.1f}",
        )
    return view


if __name__ == "__main__":
    command_line.run(main)
