"""Does a student use its instructions? BabyAI with and without them, all else equal.

  python -m experiments.language_ablation --seeds=1,2,3 --records=docs/records/babyai

One student plays all levels at once. In the condition `without` it does not see its
instructions (--nolanguage): its network lacks the language core, and its teacher, if
there is one, still reads them. Trains what is missing, one run after the other, resumes
what was broken off, and writes results.md and the curves beside the runs.
--report_only trains nothing.
"""

import os

import numpy as np
from absl import flags
from rich import console as rich_console

from experiments import multi_task_runs, studies
from kickstarting import config as config_lib
from kickstarting import learning_curves
from kickstarting.environments import suites
from launch import command_line

# From easy to hard. In the first two every wrong object that is gone to costs time; in
# the others a wrong door or object ends the episode with nothing. Half of the missions
# about doors name a place instead of a colour, which the scripted bot cannot read.
_LEVELS = (
    "GoToLocalS6N4-v0",
    "GoToLocalS8N7-v0",
    "PickupDistDebug-v0",
    "OpenDoorDebug-v0",
)
_TASKS = flags.DEFINE_list(
    "tasks",
    [f"gym:BabyAI-{level}" for level in _LEVELS],
    "Levels of the one student, from easy to hard.",
)
_SEEDS = flags.DEFINE_list("seeds", ["1", "2", "3"], "Seeds of each condition.")
_FRAMES = flags.DEFINE_integer(
    "frames", 400_000, "Environment frames of each run, all levels together."
)
_TEACHER = flags.DEFINE_string(
    "teacher",
    "examples.scripted_teacher:make",
    "module:factory of the teacher of both conditions, whose λ is 0 after five sixths "
    "of the frames. Empty: both learn from scratch.",
)
_TRAIN_FLAGS = flags.DEFINE_list(
    "train_flags",
    [
        "--action_repeat=1",
        "--environments_per_actor=16",
        "--batch_size=4",
        "--learning_rate=1.5e-3",
        "--discount=0.99",
    ],
    "Further flags of launch.train for each run, comma-separated.",
)
_RESULTS = flags.DEFINE_string("results", "runs/babyai", "Where everything goes.")
_RECORDS = flags.DEFINE_string(
    "records",
    None,
    "Folder of the finished runs' records: what has one there is not trained again, on "
    "whatever machine it was trained. Default: that of the results.",
)
_REPORT_ONLY = flags.DEFINE_bool("report_only", False, "Train nothing.")

_CONDITIONS = {"with": "--language", "without": "--nolanguage"}
_LABELS = {"with": "sees its instructions", "without": "does not see them"}


def main(argv: list[str]) -> int:
    """Runs the ablation as the flags say; returns 0, or a failed run's status."""
    del argv
    _check_flags()
    all_runs = [
        _run(condition, int(seed)) for seed in _SEEDS.value for condition in _CONDITIONS
    ]
    console = rich_console.Console()
    status = 0 if _REPORT_ONLY.value else studies.train_missing(all_runs, console)
    if status:
        return status
    finished = {
        condition: [
            run
            for run in all_runs
            if run.label == _LABELS[condition] and run.is_finished()
        ]
        for condition in _CONDITIONS
    }
    if not all(finished.values()):
        raise config_lib.ConfigError(
            f"{_RESULTS.value} holds no finished run of both conditions: leave out "
            "--report_only to train"
        )
    os.makedirs(_RESULTS.value, exist_ok=True)
    path = os.path.join(_RESULTS.value, "results.md")
    with open(path, "w", encoding="utf-8") as file:
        file.write(_report(finished))
    console.print(f"Wrote {path}", highlight=False)
    return 0


def _check_flags() -> None:
    """Checks the whole ablation before its first run.

    Raises:
      one of preflight.UserErrors: the first thing that is wrong, in one line.
    """
    studies.check_lists(_SEEDS.value, tasks=_TASKS.value)
    if _FRAMES.value < 1:
        raise config_lib.ConfigError(f"--frames must be above 0, not {_FRAMES.value}")
    for task in _TASKS.value:
        if not suites.environment_spec(task).instruction_length:
            raise config_lib.ConfigError(
                f"{task} has no instructions to hide: choose a level with missions"
            )
        multi_task_runs.capped_scores(task, np.zeros(()))


def _run(condition: str, seed: int) -> multi_task_runs.MultiTaskRun:
    teacher: tuple[str, ...] = ()
    if _TEACHER.value:
        teacher = (
            f"--teachers={_TEACHER.value}",
            "--kickstarting_schedule=linear",
            f"--kickstarting_end_frames={_FRAMES.value * 5 // 6}",
        )
    kind = "kickstarted" if _TEACHER.value else "from_scratch"
    return multi_task_runs.MultiTaskRun(
        condition=f"{kind}_{condition}",
        label=_LABELS[condition],
        tasks=tuple(_TASKS.value),
        seed=seed,
        total_frames=_FRAMES.value,
        flags=(_CONDITIONS[condition], *teacher, *_TRAIN_FLAGS.value),
        teachers=(),
        results=_RESULTS.value,
        records=_RECORDS.value or "",
    )


def _report(finished: dict[str, list[multi_task_runs.MultiTaskRun]]) -> str:
    """Draws the curves and returns results.md."""
    kind = finished["with"][0].condition.removesuffix("_with")
    picture = f"language_{kind}.png"
    learning_curves.learning_curves(
        [run.curve() for of_condition in finished.values() for run in of_condition],
        os.path.join(_RESULTS.value, picture),
        f"{len(_TASKS.value)} levels, one student, {kind.replace('_', ' ')}",
        quantity="mean capped normalised score",
    )
    lines = [
        f"Each run: {_FRAMES.value:,} frames of all levels together, "
        f"{kind.replace('_', ' ')}. Capped normalised score of the final checkpoint, "
        f"{finished['with'][0].record().episodes} episodes of each level; mean over "
        "seeds ± s.d. (each seed).",
        "",
        f"![mean capped normalised score]({picture})",
        "",
        "| level | "
        + " | ".join(_LABELS[each] for each in finished)
        + " | difference |",
        "|---|---|---|---|",
        *(_row(task.partition(":")[2], finished, [task]) for task in _TASKS.value),
        _row("**mean over levels**", finished, _TASKS.value),
        "",
        "Commands, one for each condition (seed and logdir change):",
        "",
        "```",
        *(
            "python -m launch.train " + " ".join(of_condition[0].command())
            for of_condition in finished.values()
        ),
        "```",
        "",
    ]
    return "\n".join(lines)


def _row(
    name: str,
    finished: dict[str, list[multi_task_runs.MultiTaskRun]],
    tasks: list[str],
) -> str:
    cells, means = [], []
    for of_condition in finished.values():
        final = [run.final_scores() for run in of_condition]
        values = [float(np.mean([each[task] for task in tasks])) for each in final]
        spread = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
        each_seed = ", ".join(f"{value:.1f}" for value in values)
        cells.append(f"{np.mean(values):.1f}{spread} ({each_seed})")
        means.append(float(np.mean(values)))
    return f"| {name} | " + " | ".join(cells) + f" | {means[0] - means[1]:+.1f} |"


if __name__ == "__main__":
    command_line.run(main)
