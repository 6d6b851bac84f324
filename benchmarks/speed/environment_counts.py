"""Agent steps/s and memory of the whole program, with more and more environments.

  python -m benchmarks.speed.environment_counts

One actor, from scratch, one pass over the data, each count in turn and several times.
Prints JSON.
"""

import json
import sys

import numpy as np
from absl import flags

from benchmarks.programs import measured
from kickstarting.config import run as config_lib
from launch.flags import command_line, counts

_TASK = flags.DEFINE_string("task", "doom:health_gathering_supreme", "What is run.")
_ENVIRONMENTS = flags.DEFINE_list(
    "environments", ["8", "16", "32", "64", "128"], "Of the runs."
)
_FRAMES = counts.define("frames", 100_000, "Environment frames of each run.")
_REPEATS = flags.DEFINE_integer("repeats", 3, "Turns; medians are printed.")


def main(argv: list[str]) -> int:
    """Measures as the flags say and prints JSON; returns 0."""
    del argv
    if not 1 <= _REPEATS.value <= 100:
        raise config_lib.ConfigError(
            f"--repeats must be in 1..100, not {_REPEATS.value}"
        )
    runs: dict[str, list[dict[str, float]]] = {each: [] for each in _ENVIRONMENTS.value}
    for turn in range(_REPEATS.value):
        for count, turns in runs.items():
            extra = ["--norecommended", f"--environments_per_actor={count}"]
            turns.append(measured.training(_TASK.value, _FRAMES.value, extra))
            print(f"turn {turn}: {count} {turns[-1]}", file=sys.stderr)
    medians = {
        count: {
            name: float(np.median([run[name] for run in turns])) for name in turns[0]
        }
        for count, turns in runs.items()
    }
    print(
        json.dumps({"task": _TASK.value, "medians": medians, "turns": runs}, indent=2)
    )
    return 0


if __name__ == "__main__":
    command_line.run(main)
