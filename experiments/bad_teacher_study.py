"""Does a bad teacher sink a student whose λ follows the return gap?

  python -m experiments.bad_teacher_study --tasks=doom:defend_the_line --frames=400000

The bad teachers are a random one, an adversary (what the shipped teacher finds least
probable) and a good one of another task. No card tells their returns on the task, so
they play before training (--teacher_trial_episodes). Trains what is missing and writes
results.md; what has a record is not trained again. The students from scratch are those
of experiments.kickstarting_study.
"""

import os

import numpy as np
from absl import flags
from rich import console as rich_console

from experiments import runs, studies
from kickstarting import config as config_lib
from kickstarting import learning_curves
from kickstarting.environments import suites
from launch import command_line

_TASKS = flags.DEFINE_list(
    "tasks", ["doom:defend_the_center", "doom:defend_the_line"], "Levels."
)
_SEEDS = flags.DEFINE_list("seeds", ["1", "2", "3"], "Seeds of each condition.")
_FRAMES = flags.DEFINE_integer("frames", 1_000_000, "Environment frames of each run.")
_RESULTS = flags.DEFINE_string("results", "runs/bad_teachers", "Where everything goes.")
_RECORDS = flags.DEFINE_string(
    "records", "docs/records/bad_teachers", "Folder of the finished runs' records."
)
_SCRATCH_RECORDS = flags.DEFINE_string(
    "scratch_records",
    "docs/records/study",
    "Folder of the records of students from scratch.",
)
_REPORT_ONLY = flags.DEFINE_bool("report_only", False, "Train nothing.")

_OTHER_TASK = "teachers/doom/health_gathering"
# By task, since an adversary is one of its teacher.
_TEACHERS = {
    "adversarial": "experiments.bad_teachers:adversary_in_{level}",
    "other_task": _OTHER_TASK,
    "random": "experiments.bad_teachers:random_in_doom",
}
_KINDS = flags.DEFINE_list("kinds", list(_TEACHERS), "Bad teachers.")
_LABELS = {
    "adversarial": "adversary",
    "other_task": f"{_OTHER_TASK}",
    "random": "random",
}


def main(argv: list[str]) -> int:
    """Runs the study as the flags say; returns 0, or the status of a failed run."""
    del argv
    _check_flags()
    console = rich_console.Console()
    sections = []
    for task in _TASKS.value:
        of_kind = {
            kind: [_run(task, kind, int(seed)) for seed in _SEEDS.value]
            for kind in ("from_scratch", *_KINDS.value)
        }
        all_runs = [run for of in of_kind.values() for run in of]
        status = 0 if _REPORT_ONLY.value else studies.train_missing(all_runs, console)
        if status:
            return status
        finished = {
            kind: [run for run in of if run.is_finished()]
            for kind, of in of_kind.items()
        }
        if any(finished.values()):
            sections.append(_section(task, finished))
    if not sections:
        raise config_lib.ConfigError(
            "there is no finished run of this study: leave out --report_only to train"
        )
    os.makedirs(_RESULTS.value, exist_ok=True)
    path = os.path.join(_RESULTS.value, "results.md")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(sections))
    console.print(f"Wrote {path}", highlight=False)
    return 0


def _check_flags() -> None:
    """Checks the whole study before its first run.

    Raises:
      one of preflight.UserErrors: the first thing that is wrong, in one line.
    """
    studies.check_lists(_SEEDS.value, tasks=_TASKS.value, kinds=_KINDS.value)
    if set(_KINDS.value) - set(_TEACHERS):
        raise config_lib.ConfigError(f"--kinds are among {', '.join(_TEACHERS)}")
    if _FRAMES.value < 1:
        raise config_lib.ConfigError(f"--frames must be above 0, not {_FRAMES.value}")
    for task in _TASKS.value:
        suites.environment_spec(task)


def _run(task: str, kind: str, seed: int) -> runs.Run:
    scratch = kind == "from_scratch"
    level = task.partition(":")[2]
    return runs.Run(
        task=task,
        condition="from_scratch" if scratch else "return_gap",
        seed=seed,
        total_frames=_FRAMES.value,
        teacher="" if scratch else _TEACHERS[kind].format(level=level),
        results=os.path.join(_RESULTS.value, kind),
        records=_SCRATCH_RECORDS.value
        if scratch
        else os.path.join(_RECORDS.value, kind),
    )


def _section(task: str, finished: dict[str, list[runs.Run]]) -> str:
    """Draws the curves of a task and returns its part of results.md."""
    name = f"{task.replace(':', '_')}.png"
    reference = suites.reference_score(task)
    curves = []
    for kind, of_kind in finished.items():
        for run in of_kind:
            curve = run.curve()
            label = _LABELS.get(kind, curve.label)
            curves.append(
                learning_curves.Curve(label, curve.frames, curve.returns, run.seed)
            )
    learning_curves.learning_curves(
        curves,
        os.path.join(_RESULTS.value, name),
        task,
        random_return=reference.random if reference else None,
    )
    scratch = [run.record().final_return for run in finished["from_scratch"]]
    lines = [
        f"## {task}",
        "",
        f"Each run: {_FRAMES.value:,} frames, λ by the return gap.",
        "",
        f"![learning curves]({name})",
        "",
        "| teacher | final return, mean ± s.d. (each seed) | of from scratch |",
        "|---|---|---|",
    ]
    for kind, of_kind in finished.items():
        final = [run.record().final_return for run in of_kind]
        if not final:
            continue
        spread = f" ± {np.std(final, ddof=1):.2f}" if len(final) > 1 else ""
        share = f"{np.mean(final) / np.mean(scratch):.0%}" if scratch else "?"
        label = "none (from scratch)" if kind == "from_scratch" else _LABELS[kind]
        lines.append(
            f"| {label} | {np.mean(final):.2f}{spread} "
            f"({', '.join(f'{x:.2f}' for x in final)}) | {share} |"
        )
    lines += ["", "Commands (seed and logdir change):", "", "```"]
    lines += [
        "python -m launch.train " + " ".join(of_kind[0].command())
        for of_kind in finished.values()
        if of_kind
    ]
    return "\n".join([*lines, "```", ""])


if __name__ == "__main__":
    command_line.run(main)
