"""Seconds from the command to the first update, with what has been compiled before.

  python -m benchmarks.speed.start_up

Starts the program several times on each task, the first time to compile, and looks for
the first row of its metrics.csv. Prints JSON.
"""

import json
import shutil
import sys
import tempfile
import time

import numpy as np
from absl import flags

from benchmarks.programs import launched
from kickstarting.config import run as config_lib
from kickstarting.reporting import run_files
from launch.flags import command_line

_TASKS = flags.DEFINE_list(
    "tasks",
    ["doom:health_gathering_supreme", "gym:MiniGrid-DoorKey-5x5-v0"],
    "Each is a run of its own.",
)
_REPEATS = flags.DEFINE_integer("repeats", 3, "Starts that are measured.")
_POLL_SECONDS = 0.05
_MOST_SECONDS = 300.0


def main(argv: list[str]) -> int:
    """Measures as the flags say and prints JSON; returns 0."""
    del argv
    if not 1 <= _REPEATS.value <= 100:
        raise config_lib.ConfigError(
            f"--repeats must be in 1..100, not {_REPEATS.value}"
        )
    found: dict[str, list[float]] = {task: [] for task in _TASKS.value}
    for turn in range(1 + _REPEATS.value):
        for task, seconds in found.items():
            taken = _seconds(task)
            print(f"turn {turn}: {task} {taken:.1f} s", file=sys.stderr)
            if turn:
                seconds.append(taken)
    medians = {task: float(np.median(seconds)) for task, seconds in found.items()}
    print(json.dumps({"seconds": found, "medians": medians}, indent=2))
    return 0


def _seconds(task: str) -> float:
    logdir = tempfile.mkdtemp(prefix="start_up")
    start = time.monotonic()
    arguments = [f"--tasks={task}", f"--logdir={logdir}", "--evaluation_episodes=0"]
    try:
        with launched.run(arguments):
            while time.monotonic() - start < _MOST_SECONDS:
                if _has_updated(logdir):
                    return time.monotonic() - start
                time.sleep(_POLL_SECONDS)
        raise RuntimeError(f"{task}: no update within {_MOST_SECONDS:g} seconds")
    finally:
        shutil.rmtree(logdir, ignore_errors=True)


def _has_updated(logdir: str) -> bool:
    try:
        return bool(run_files.newest_row(logdir))
    except (run_files.RunFilesError, OSError):
        return False


if __name__ == "__main__":
    command_line.run(main)
