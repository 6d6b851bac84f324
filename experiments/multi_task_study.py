"""One student on several tasks: from scratch, one teacher, a teacher for each task.

  python -m experiments.multi_task_study --frames=1000000 --seeds=1,2,3

Trains what is missing, one run after the other, resumes what was broken off, and writes
results.md and the curves beside the runs. With --records=docs/records/multi_task a run
counts as finished where its record has been committed. --report_only trains nothing.
"""

import os

import numpy as np
from absl import flags
from rich import console as rich_console

from experiments import multi_task_runs, runs, studies
from kickstarting import aggregates, learning_curves
from kickstarting import config as config_lib
from launch import command_line, teacher_map

_TASKS = flags.DEFINE_list(
    "tasks",
    [
        "doom:defend_the_center",
        "doom:defend_the_line",
        "doom:health_gathering",
        "doom:take_cover",
    ],
    "Levels of the one student.",
)
_SEEDS = flags.DEFINE_list("seeds", ["1", "2", "3"], "Seeds of each condition.")
_FRAMES = flags.DEFINE_integer(
    "frames", 1_000_000, "Environment frames of each run, all levels together."
)
_TEACHERS = flags.DEFINE_string(
    "teachers", "teachers/doom", "Folder of teachers, one for each level."
)
_ONE_TEACHER = flags.DEFINE_string(
    "one_teacher", "teachers/study/doom_multi_task", "The teacher of all levels."
)
_TRAIN_FLAGS = flags.DEFINE_list(
    "train_flags",
    ["--popart_per_task"],
    "Further flags of launch.train for each run, comma-separated.",
)
_RESULTS = flags.DEFINE_string("results", "runs/multi_task", "Where everything goes.")
_RECORDS = flags.DEFINE_string(
    "records",
    None,
    "Folder of the finished runs' records: what has one there is not trained again, on "
    "whatever machine it was trained. Default: that of the results.",
)
_CONDITIONS = flags.DEFINE_list(
    "conditions",
    ["from_scratch", "one_teacher", "teacher_per_task", "constant"],
    "Conditions.",
)
_REPORT_ONLY = flags.DEFINE_bool("report_only", False, "Train nothing.")

_LABELS = {
    "from_scratch": "from scratch",
    "one_teacher": "one teacher of all tasks",
    "teacher_per_task": "one teacher for each task",
    "constant": "one for each task, constant λ",
}
# Of the frames, over whose curve a run's last training score is the mean.
_LAST_SHARE = 0.1


def main(argv: list[str]) -> int:
    """Runs the study as the flags say; returns 0, or the status of a failed run."""
    del argv
    _check_flags()
    all_runs = [
        _run(condition, int(seed))
        for seed in _SEEDS.value
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
    with open(path, "w", encoding="utf-8") as file:
        file.write(_report(finished))
    console.print(f"Wrote {path}", highlight=False)
    return 0


def _check_flags() -> None:
    """Checks the whole study before its first run, which may take hours.

    Raises:
      one of preflight.UserErrors: the first thing that is wrong, in one line.
    """
    studies.check_lists(_SEEDS.value, tasks=_TASKS.value, conditions=_CONDITIONS.value)
    if set(_CONDITIONS.value) - set(_LABELS):
        raise config_lib.ConfigError(f"--conditions are among {', '.join(_LABELS)}")
    if _FRAMES.value < 1:
        raise config_lib.ConfigError(f"--frames must be above 0, not {_FRAMES.value}")
    for task in _TASKS.value:
        multi_task_runs.capped_scores(task, np.zeros(()))
        runs.teacher_score(_ONE_TEACHER.value, task)
    missing = set(_TASKS.value) - {task for task, _ in _each_tasks_teacher()}
    if missing:
        raise config_lib.ConfigError(
            f"{_TEACHERS.value} has no teacher of {', '.join(sorted(missing))}"
        )


def _each_tasks_teacher() -> tuple[tuple[str, str], ...]:
    return teacher_map.resolve(_TASKS.value, [_TEACHERS.value])


def _run(condition: str, seed: int) -> multi_task_runs.MultiTaskRun:
    folders = [teacher for _, teacher in _each_tasks_teacher()]
    linear = (
        "--kickstarting_schedule=linear",
        f"--kickstarting_end_frames={_FRAMES.value // 2}",
    )
    one, each = f"--teachers={_ONE_TEACHER.value}", f"--teachers={_TEACHERS.value}"
    condition_flags, teachers = {
        "from_scratch": ((), []),
        "one_teacher": ((one, *linear), [_ONE_TEACHER.value]),
        "teacher_per_task": ((each, *linear), folders),
        "constant": ((each, "--kickstarting_schedule=constant"), folders),
    }[condition]
    return multi_task_runs.MultiTaskRun(
        condition=condition,
        label=_LABELS[condition],
        tasks=tuple(_TASKS.value),
        seed=seed,
        total_frames=_FRAMES.value,
        flags=(*condition_flags, *_TRAIN_FLAGS.value),
        teachers=tuple(teachers),
        results=_RESULTS.value,
        records=_RECORDS.value or "",
    )


def _last_score(run: multi_task_runs.MultiTaskRun) -> float:
    curve = run.curve()
    return float(
        curve.returns[curve.frames >= (1 - _LAST_SHARE) * run.total_frames].mean()
    )


def _report(finished: list[multi_task_runs.MultiTaskRun]) -> str:
    """Draws the curves and returns results.md."""
    learning_curves.learning_curves(
        [run.curve() for run in finished],
        os.path.join(_RESULTS.value, "multi_task.png"),
        f"{len(_TASKS.value)} tasks, one student",
        quantity="mean capped normalised score",
    )
    by_condition = {
        condition: [run for run in finished if run.condition == condition]
        for condition in _CONDITIONS.value
        if any(run.condition == condition for run in finished)
    }
    lines = [
        f"## {', '.join(_TASKS.value)}",
        "",
        f"Each run: {_FRAMES.value:,} frames of all tasks together.",
        "",
        "![mean capped normalised score](multi_task.png)",
        "",
        *_score_table(by_condition),
        "",
        *_task_table(by_condition),
        "",
        "Commands, one for each condition (seed and logdir change):",
        "",
        "```",
        *(
            "python -m launch.train " + " ".join(of_condition[0].command())
            for of_condition in by_condition.values()
        ),
        "```",
        "",
    ]
    return "\n".join(lines)


def _score_table(
    by_condition: dict[str, list[multi_task_runs.MultiTaskRun]],
) -> list[str]:
    scratch = by_condition.get("from_scratch", [])
    level = float(np.mean([_last_score(run) for run in scratch])) if scratch else None
    reached = f"{level:.1f}" if level is not None else "?"
    lines = [
        "| condition | training score over the last tenth (each seed) "
        f"| frames to {reached}, from scratch's last (each seed) "
        "| final checkpoints: mean, 95 % interval | IQM |",
        "|---|---|---|---|---|",
    ]
    for condition, of_condition in by_condition.items():
        last = [_last_score(run) for run in of_condition]
        frames = [
            runs.frames_text(runs.frames_to_reach(run.curve(), level))
            if level is not None
            else "?"
            for run in of_condition
        ]
        final = [run.final_scores() for run in of_condition]
        over_tasks = aggregates.of_runs(
            {task: [each[task] for each in final] for task in _TASKS.value}, seed=0
        )
        mean = over_tasks.mean
        lines.append(
            f"| {_LABELS[condition]} | {np.mean(last):.1f} "
            f"({', '.join(f'{x:.1f}' for x in last)}) | {', '.join(frames)} "
            f"| {mean.value:.1f} ({mean.low:.1f} to {mean.high:.1f}) "
            f"| {over_tasks.iqm.value:.1f} |"
        )
    return lines


def _task_table(
    by_condition: dict[str, list[multi_task_runs.MultiTaskRun]],
) -> list[str]:
    """Returns the raw return of each task's final checkpoints, mean over seeds."""
    one = {task: runs.teacher_score(_ONE_TEACHER.value, task) for task in _TASKS.value}
    each = {
        task: runs.teacher_score(teacher, task)
        for task, teacher in _each_tasks_teacher()
    }
    lines = [
        "| task | its own teacher | the teacher of all | "
        + " | ".join(_LABELS[condition] for condition in by_condition)
        + " |",
        "|---" * (3 + len(by_condition)) + "|",
    ]
    for task in _TASKS.value:
        cells = [f"{each[task].mean_return:.1f}", f"{one[task].mean_return:.1f}"]
        for of_condition in by_condition.values():
            final = [run.record().final_returns[task] for run in of_condition]
            spread = f" ± {np.std(final, ddof=1):.1f}" if len(final) > 1 else ""
            cells.append(f"{np.mean(final):.1f}{spread}")
        lines.append(f"| {task} | " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    command_line.run(main)
