"""The demo of ./kickstart: one task with and without a teacher, one after the other.

Trains a kickstarted student and one from scratch for the same number of environment
frames, draws both learning curves with the teacher's score, and says which of them has
passed the teacher and what to try next. The teacher is a half-way one, which can be
passed, as the paper's are.
"""

import os

import numpy as np
from absl import flags
from rich import console as rich_console
from rich import table as rich_table

from experiments.running import collection, foreground
from experiments.running import records as run_records
from experiments.training import Teacher, Training
from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.reporting import learning_curves
from kickstarting.teaching import cards as teacher_cards
from kickstarting.teaching import files as teacher_files
from launch.flags import command_line, counts

_TASK = flags.DEFINE_string("task", "doom:health_gathering", "What is learned.")
_TEACHER = flags.DEFINE_string(
    "teacher",
    None,
    "Folder of the teacher; default: the half-way one of the task, or else its best.",
)
_FRAMES = counts.define("frames", 60_000, "Environment frames of each of the two runs.")
_SEED = flags.DEFINE_integer("seed", 1, "Seeds both runs.")
_TRAIN_FLAGS = flags.DEFINE_list(
    "train_flags", [], "Further flags of launch.train for both runs, comma-separated."
)
_RESULTS = flags.DEFINE_string("results", "runs/demo", "Where everything goes.")

_EVALUATION_EPISODES = 30
# Of the frames, after which λ is 0.
_ADVICE_SHARE = 0.4


def main(argv: list[str]) -> int:
    """Runs the demo; returns the status of a run that did not finish, else 0."""
    del argv
    if _FRAMES.value < 1:
        raise config_lib.ConfigError(f"--frames must be above 0, not {_FRAMES.value}")
    folder = _TEACHER.value or shipped(_TASK.value)
    teacher_return = teacher_score(folder, _TASK.value).mean_return
    console = rich_console.Console()
    for line in (
        f"Two students of {_TASK.value}, {_FRAMES.value:,} environment frames each: "
        f"the first is helped by {folder}, whose return is {teacher_return:.2f}.",
        "Each is shown as it learns, and then plays "
        f"{_EVALUATION_EPISODES} episodes. As it ships this takes about four minutes "
        "on two cores.",
    ):
        console.print(line, highlight=False, soft_wrap=True)
    pair = {
        "with a teacher": _training(folder),
        "from scratch": _training(None),
    }
    found = {}
    for number, (label, training) in enumerate(pair.items(), 1):
        console.rule(f"{number} of 2: {label}")
        kept = run_records.path(os.path.join(_RESULTS.value, "records"), training.key)
        record = run_records.load(kept)
        if record is None:
            status = foreground.train(training.arguments(_RESULTS.value))
            if status:
                return status
            record = collection.record(training, _RESULTS.value)
            run_records.save(kept, record)
        found[label] = record
    path = os.path.join(_RESULTS.value, f"{_TASK.value.replace(':', '_')}.png")
    reference = suites.reference_score(_TASK.value)
    learning_curves.learning_curves(
        [
            learning_curves.Curve(label, *_curve(record), _SEED.value)
            for label, record in found.items()
        ],
        path,
        _TASK.value,
        teacher_return=teacher_return,
        random_return=reference.random if reference else None,
        note="of training's episodes within a tenth of the frames",
    )
    console.rule("The demo's result")
    console.print(_table(found, teacher_return))
    for label in found:
        line = verdict(label, *_reached(found[label], teacher_return))
        console.print(line, highlight=False, soft_wrap=True)
    logdir = next(iter(pair.values())).logdir(_RESULTS.value)
    for line in (
        "",
        f"Curves:     {path}",
        f"Video:      {os.path.join(logdir, 'episode.mp4')}",
        f"Checkpoint: {os.path.join(logdir, 'checkpoints')}",
        "",
        "Next, your own task and teacher:",
        "  ./kickstart --tasks=doom:defend_the_line "
        "--teachers=teachers/doom/defend_the_line",
    ):
        console.print(line, highlight=False, soft_wrap=True)
    return 0


def teacher_score(folder: str, task: str) -> teacher_cards.TaskScore:
    """Returns how good a teacher is at a task.

    Raises:
      config_lib.ConfigError: it was not trained on the task.
      teacher_files.TeacherError: it is not sound.
    """
    _, card = teacher_files.load_teacher(folder)
    score = card.score_of(task)
    if score is None:
        raise config_lib.ConfigError(
            f"{folder} was trained on {', '.join(card.tasks)}: choose a teacher of "
            f"{task}"
        )
    return score


def verdict(label: str, frames: float | None, lead: float) -> str:
    """Returns what became of a student, in words.

    Args:
      label: of the student.
      frames: environment frames after which it was at its teacher's return; None: it
        never was.
      lead: final return above the teacher's.
    """
    if frames is None:
        when = f"was not at the teacher's return within {_FRAMES.value:,} frames"
        if lead > 0:
            when += " of training"
    elif lead > 0:
        when = f"passed the teacher after {frames:,.0f} frames"
    else:
        when = f"was at the teacher's return after {frames:,.0f} frames"
    where = f"{abs(lead):.2f} {'above' if lead > 0 else 'below'} it"
    return f"The student {label} {when}, and ended {where}."


def shipped(task: str) -> str:
    """Returns the folder of a task's half-way teacher, or else of its best one."""
    suite, _, level = task.partition(":")
    folders = [
        os.path.join("teachers", "study", f"{suite}_halfway", level),
        os.path.join("teachers", suite, level),
    ]
    return next(filter(os.path.isdir, folders), folders[-1])


def _training(teacher: str | None) -> Training:
    linear = (
        "--kickstarting_schedule=linear",
        f"--kickstarting_end_frames={max(int(_ADVICE_SHARE * _FRAMES.value), 1)}",
    )
    return Training(
        tasks=(_TASK.value,),
        seed=_SEED.value,
        total_frames=_FRAMES.value,
        flags=(*(linear if teacher else ()), *_TRAIN_FLAGS.value),
        teachers=(Teacher(teacher),) if teacher else (),
        evaluation_episodes=_EVALUATION_EPISODES,
    )


def _curve(record: run_records.Record) -> tuple[np.ndarray, np.ndarray]:
    """Returns frames and returns of training, float [n], from the first.

    Means of the newest 100 episodes may look back over all that was learned. Where the
    task has a reference, those within a tenth of the frames stand for them.
    """
    reference = suites.reference_score(_TASK.value)
    if reference and run_records.SCORE in record.columns:
        span = reference.reference - reference.random
        returns = reference.random + record.column(run_records.SCORE) * span / 100
    else:
        returns = record.column(f"episode_return/{_TASK.value}")
    known = ~np.isnan(returns)
    return np.array(record.frames)[known], returns[known]


def _reached(
    record: run_records.Record, teacher_return: float
) -> tuple[float | None, float]:
    """Returns when a student was at its teacher's return, and its lead at the end."""
    frames, returns = _curve(record)
    reached = frames[returns >= teacher_return]
    lead = record.final_returns[_TASK.value] - teacher_return
    return (float(reached[0]) if len(reached) else None), lead


def _table(
    found: dict[str, run_records.Record], teacher_return: float
) -> rich_table.Table:
    view = rich_table.Table(title=f"{_TASK.value}, {_FRAMES.value:,} frames each")
    for name in ("", "final return", "frames to the teacher's return", "minutes"):
        view.add_column(name, justify="left" if not name else "right")
    view.add_row("teacher", f"{teacher_return:.2f}", "", "")
    for label, record in found.items():
        frames, lead = _reached(record, teacher_return)
        view.add_row(
            label,
            f"{teacher_return + lead:.2f}",
            "not reached" if frames is None else f"{frames:,.0f}",
            f"{record.seconds / 60:.1f}",
        )
    return view


if __name__ == "__main__":
    command_line.run(main)
