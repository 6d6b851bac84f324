"""What it costs to go on with a run that has gone on for long, and to look at it.

  python -m benchmarks.long_run --days=7 --tasks=30

Writes the rows that such a run has written. Then, each in a process of its own, goes on
from a checkpoint of ten minutes before the end, reads what the report draws, and reads
the newest row, as launch.status does. Prints JSON: rows, megabytes of metrics.csv, CPU
seconds of each, and the most memory of its process.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
from absl import flags

from kickstarting.config import run as config_lib
from kickstarting.environments import base
from kickstarting.reporting import metrics_file, row_average, run_files, telemetry
from launch.flags import command_line

_DAYS = flags.DEFINE_float("days", 7.0, "That the run has gone on.")
_TASKS = flags.DEFINE_integer("tasks", 30, "Of the run, with a teacher each.")
_EVERY_SECOND = flags.DEFINE_bool(
    "every_second", False, "Write a row each second, as runs did before."
)
_FOLDER = flags.DEFINE_string("folder", "", "Of a run that was written so.")
_USE = flags.DEFINE_string("use", "", "What one process does with --folder.")

_FRAMES_PER_SECOND = 3000
_CHECKPOINT_SECONDS = 600
# Of each task, beside what the telemetry has.
_OF_TASK = (
    "kickstarting_weight",
    "teacher_factor",
    "cross_entropy",
    "kl_teacher_student",
    "asked_unrolls",
    "unanswered_unrolls",
)


def main(argv: list[str]) -> int:
    """Measures as the flags say and prints JSON; returns 0."""
    del argv
    if _DAYS.value <= 0 or _TASKS.value < 1:
        raise config_lib.ConfigError("--days and --tasks must be above 0")
    if _USE.value:
        print(json.dumps(_measured(_USES[_USE.value], _FOLDER.value)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        rows = write(folder, _DAYS.value * 86_400, _TASKS.value, _EVERY_SECOND.value)
        size = os.path.getsize(os.path.join(folder, run_files.METRICS_FILE))
        found: dict[str, object] = {"rows": rows, "megabytes": round(size / 1e6, 1)}
        # The first one cuts the file, which then is as long as it was but for that.
        for name in _USES:
            found[name] = json.loads(
                subprocess.check_output(
                    [
                        *(sys.executable, "-m", "benchmarks.long_run"),
                        *(f"--use={name}", f"--folder={folder}"),
                    ]
                )
            )
    print(json.dumps(found, indent=2))
    return 0


def write(folder: str, seconds: float, num_tasks: int, every_second: bool) -> int:
    """Writes the metrics.csv of a run.

    Args:
      folder: of the run, which is there.
      seconds: that the run has gone on.
      num_tasks: of the run.
      every_second: whether there is a row each second.

    Returns:
      the number of rows.
    """
    tasks = [f"dmlab30:a_level_with_a_long_name_{index}" for index in range(num_tasks)]
    reference = base.ReferenceScore(random=0.0, reference=1.0, source="none")
    names = list(telemetry.Telemetry(tasks, [reference] * num_tasks, 10**9).row())
    names += [f"{name}/{task}" for task in tasks for name in _OF_TASK]
    names.remove(run_files.FRAMES)
    random = np.random.default_rng(0)
    file = metrics_file.MetricsFile(os.path.join(folder, run_files.METRICS_FILE))
    now, count = 1.0, 0
    while now <= seconds:
        values = random.random(len(names)).tolist()
        row = {run_files.FRAMES: float(int(now * _FRAMES_PER_SECOND))}
        file.write({**row, **dict(zip(names, values, strict=True))})
        now += 1.0 if every_second else row_average.period(now)
        count += 1
    file.close()
    return count


def _go_on(folder: str) -> None:
    newest = run_files.newest_row(folder)[run_files.FRAMES]
    files = run_files.RunFiles(folder)
    files.truncate(int(newest) - _CHECKPOINT_SECONDS * _FRAMES_PER_SECOND)
    files.close()


def _report(folder: str) -> None:
    run_files.read_metrics(folder, ["episode_return/", "mean_capped_score"])


def _status(folder: str) -> None:
    run_files.newest_row(folder)


_USES: dict[str, Callable[[str], None]] = {
    "go_on": _go_on,
    "report": _report,
    "status": _status,
}


def _measured(use: Callable[[str], None], folder: str) -> dict[str, float]:
    before = _megabytes()
    start = time.process_time()
    use(folder)
    return {
        "cpu_seconds": round(time.process_time() - start, 3),
        "megabytes": round(_megabytes(), 1),
        "megabytes_before": round(before, 1),
    }


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    command_line.run(main)
