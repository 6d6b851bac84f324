"""Does kickstarting work here? Conditions, seeds and levels; curves, table, Markdown.

  python -m experiments.kickstarting_study \
      --tasks=doom:defend_the_center,doom:health_gathering --seeds=1,2,3

Trains what is missing, one run after the other (a run fills the machine), resumes what
was broken off, and writes results.md and the curves beside the runs. --report_only
writes from the runs that are finished. With --records=docs/records/study a run counts
as finished where its record has been committed.
"""

import os

import numpy as np
from absl import flags
from rich import console as rich_console

from experiments import runs, studies
from kickstarting import config as config_lib
from kickstarting import learning_curves, teacher_files
from kickstarting.environments import suites
from launch import command_line

_TASKS = flags.DEFINE_list(
    "tasks", ["doom:defend_the_center", "doom:health_gathering"], "Levels."
)
_SEEDS = flags.DEFINE_list("seeds", ["1", "2", "3"], "Seeds of each condition.")
_CONDITIONS = flags.DEFINE_list(
    "conditions",
    ["from_scratch", "kickstarted", "constant", "distillation"],
    "Conditions.",
)
_FRAMES = flags.DEFINE_integer("frames", 1_000_000, "Environment frames of each run.")
_WEANED_SHARE = flags.DEFINE_float(
    "weaned_share", 0.5, "Share of the frames after which the linear λ is 0."
)
_TEACHERS = flags.DEFINE_string("teachers", "teachers", "Folder of the teachers.")
_TRAIN_FLAGS = flags.DEFINE_list(
    "train_flags", [], "Further flags of launch.train for each run, comma-separated."
)
_RESULTS = flags.DEFINE_string("results", "runs/study", "Where everything goes.")
_RECORDS = flags.DEFINE_string(
    "records",
    None,
    "Folder of the finished runs' records: what has one there is not trained again, on "
    "whatever machine it was trained. Default: that of the results.",
)
_REPORT_ONLY = flags.DEFINE_bool("report_only", False, "Train nothing.")


def main(argv: list[str]) -> int:
    """Runs the study as the flags say; returns 0, or the status of a failed run."""
    del argv
    _check_flags()
    all_runs = [
        _run(task, condition, int(seed))
        for seed in _SEEDS.value
        for task in _TASKS.value
        for condition in _CONDITIONS.value
    ]
    console = rich_console.Console()
    status = 0 if _REPORT_ONLY.value else studies.train_missing(all_runs, console)
    if status:
        return status
    finished = [run for run in all_runs if run.is_finished()]
    if not finished:
        raise config_lib.ConfigError(
            f"{_RESULTS.value} holds no finished run of this study: leave out "
            "--report_only to train"
        )
    os.makedirs(_RESULTS.value, exist_ok=True)
    path = os.path.join(_RESULTS.value, "results.md")
    sections = [
        _section(task, [run for run in finished if run.task == task])
        for task in _TASKS.value
        if any(run.task == task for run in finished)
    ]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(sections))
    console.print(f"Wrote {path}", highlight=False)
    return 0


def _check_flags() -> None:
    """Checks the whole study before its first run, which may take hours.

    Raises:
      one of preflight.UserErrors: the first thing that is wrong, in one line.
    """
    studies.check_lists(_SEEDS.value, tasks=_TASKS.value, conditions=_CONDITIONS.value)
    if set(_CONDITIONS.value) - set(runs.CONDITIONS):
        raise config_lib.ConfigError(
            f"--conditions are among {', '.join(runs.CONDITIONS)}"
        )
    if _FRAMES.value < 1 or not 0 < _WEANED_SHARE.value <= 1:
        raise config_lib.ConfigError(
            "--frames must be above 0 and --weaned_share in (0, 1], not "
            f"{_FRAMES.value} and {_WEANED_SHARE.value}"
        )
    for task in _TASKS.value:
        suites.environment_spec(task)
        runs.teacher_score(_teacher(task), task)


def _teacher(task: str) -> str:
    return os.path.join(_TEACHERS.value, *task.split(":"))


def _run(task: str, condition: str, seed: int) -> runs.Run:
    return runs.Run(
        task=task,
        condition=condition,
        seed=seed,
        total_frames=_FRAMES.value,
        teacher=_teacher(task),
        results=_RESULTS.value,
        records=_RECORDS.value or "",
        weaned_share=_WEANED_SHARE.value,
        flags=tuple(_TRAIN_FLAGS.value),
    )


def _section(task: str, finished: list[runs.Run]) -> str:
    """Draws the curves of a task and returns its part of results.md."""
    _, card = teacher_files.load_teacher(finished[0].teacher)
    score = runs.teacher_score(finished[0].teacher, task)
    reference = suites.reference_score(task)
    name = f"{task.replace(':', '_')}.png"
    learning_curves.learning_curves(
        [run.curve() for run in finished],
        os.path.join(_RESULTS.value, name),
        task,
        teacher_return=score.mean_return,
        random_return=reference.random if reference else None,
    )
    lines = [
        f"## {task}",
        "",
        f"Teacher: return {score.mean_return:.2f} ± {score.standard_error:.2f} (s.e. "
        f"over {score.episodes} episodes) after {card.environment_frames:,} frames. "
        f"Each run: {_FRAMES.value:,} frames.",
        "",
        f"![learning curves]({name})",
        "",
        "| condition | seeds | frames to the teacher's return (each seed) "
        "| final return, mean ± s.d. (each seed) |",
        "|---|---|---|---|",
    ]
    for condition in _CONDITIONS.value:
        of_condition = [run for run in finished if run.condition == condition]
        if not of_condition:
            continue
        frames = [
            runs.frames_to_reach(run.curve(), score.mean_return) for run in of_condition
        ]
        final = [run.record().final_return for run in of_condition]
        spread = f" ± {np.std(final, ddof=1):.2f}" if len(final) > 1 else ""
        lines.append(
            f"| {runs.LABELS[condition]} | {len(of_condition)} "
            f"| {', '.join(runs.frames_text(x) for x in frames)} "
            f"| {np.mean(final):.2f}{spread} "
            f"({', '.join(f'{x:.2f}' for x in final)}) |"
        )
    lines += [
        "",
        "Commands, one for each condition (seed and logdir change):",
        "",
        "```",
    ]
    for condition in _CONDITIONS.value:
        first = next((run for run in finished if run.condition == condition), None)
        if first:
            lines.append("python -m launch.train " + " ".join(first.command()))
    return "\n".join([*lines, "```", ""])


if __name__ == "__main__":
    command_line.run(main)
