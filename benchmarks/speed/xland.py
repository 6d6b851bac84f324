"""Frames/s and CPU time of a frame of the eight grids of xland, together in one run.

  python -m benchmarks.speed.xland --against=REVISION

An actor with sixteen environments acts alone, and the whole program trains, with one
pass over the data and with what is recommended; that revision does the same in turn.
What the machine does beside it changes frames/s more than CPU time. Prints JSON: what
each turn took, and the medians over the turns of this revision's share of REVISION's.
"""

import contextlib
import json
import os
import subprocess
import sys

import numpy as np
from absl import flags

from benchmarks.programs import measured, revision
from experiments.catalogue.common.xland import TASKS
from kickstarting.config import run as config_lib
from launch.flags import command_line, counts

_AGAINST = flags.DEFINE_string("against", None, "A revision that takes turns.")
_FRAMES = counts.define("frames", 40_000, "Frames of each training.")
_SECONDS = flags.DEFINE_float("seconds", 10.0, "Seconds of acting alone.")
_REPEATS = flags.DEFINE_integer("repeats", 3, "Turns; medians are printed.")

_TRAININGS = {"one_pass": ["--passes=1"], "recommended": []}
# In a process of its own: the modules are the checkout's.
_ACTS = """
import json, sys
try:
    from benchmarks.speed import parts
except ImportError:  # where they lay before
    from benchmarks import parts
from kickstarting.config import run
config = run.Config(tasks=tuple(sys.argv[2:]), logdir="unused", action_repeat=1)
print(json.dumps(parts.acting(config, float(sys.argv[1]))))
"""


def main(argv: list[str]) -> int:
    """Measures as the flags say and prints JSON; returns 0."""
    del argv
    if not 1 <= _REPEATS.value <= 100:
        raise config_lib.ConfigError(
            f"--repeats must be in 1..100, not {_REPEATS.value}"
        )
    turns: dict[str, list[dict[str, dict[str, float]]]] = {"this": []}
    with contextlib.ExitStack() as stack:
        folders: dict[str, str | None] = {"this": None}
        if _AGAINST.value:
            folders["against"] = stack.enter_context(revision.checkout(_AGAINST.value))
            turns["against"] = []
        for turn in range(_REPEATS.value):
            for name, folder in folders.items():
                turns[name].append(_measured(folder))
                told = f"turn {turn}: {name} {turns[name][-1]}"
                print(told, file=sys.stderr, flush=True)
    print(json.dumps({"tasks": TASKS, "turns": turns, **_ratios(turns)}, indent=2))
    return 0


def _measured(folder: str | None) -> dict[str, dict[str, float]]:
    """Returns frames_per_second and cpu_ms_per_frame of each condition."""
    found = {"acting": _acting(folder)}
    # Measured in steps of the default repetition; a grid's action is not repeated.
    repeat = config_lib.Config.action_repeat
    for name, extra in _TRAININGS.items():
        run = measured.training(",".join(TASKS), _FRAMES.value, extra, folder)
        found[name] = {
            "frames_per_second": run["agent_steps_per_second"] * repeat,
            "cpu_ms_per_frame": run["cpu_ms_per_step"] / repeat,
        }
    return found


def _acting(folder: str | None) -> dict[str, float]:
    folder = folder or os.getcwd()
    answer = subprocess.run(
        (sys.executable, "-c", _ACTS, str(_SECONDS.value), *TASKS),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": folder},
        stdout=subprocess.PIPE,
        check=True,
    )
    cost = json.loads(answer.stdout)
    return {
        "frames_per_second": cost["steps_per_second_alone"],
        "cpu_ms_per_frame": cost["cpu_ms_per_step"],
    }


def _ratios(
    turns: dict[str, list[dict[str, dict[str, float]]]],
) -> dict[str, dict[str, float]]:
    if "against" not in turns:
        return {}
    pairs = list(zip(turns["against"], turns["this"], strict=True))
    return {
        f"{what}_of_this_over_against": {
            condition: float(
                np.median(
                    [new[condition][what] / old[condition][what] for old, new in pairs]
                )
            )
            for condition in turns["this"][0]
        }
        for what in ("frames_per_second", "cpu_ms_per_frame")
    }


if __name__ == "__main__":
    command_line.run(main)
