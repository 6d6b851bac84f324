"""What first resets that compile a map cost the environments beside them.

  python -m benchmarks.slow_resets

Steps a batch of environments in worker processes, as an actor does, on the tests'
stand-in for DeepMind Lab: in one condition the first environment draws a new map for
each episode, which takes --compile_seconds, in the other its map is in the level cache
as those of all others are. The conditions take turns. Prints JSON: the agent steps/s of
the other environments in each, and the median of their ratios.
"""

import json
import os
import pathlib
import sys
import tempfile
import time

import numpy as np
from absl import flags

from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from kickstarting.environments.stepping import batch
from launch.flags import command_line

_ENVIRONMENTS = flags.DEFINE_integer("environments", 8, "Environments of the batch.")
_COMPILE_SECONDS = flags.DEFINE_float("compile_seconds", 5.0, "How long a map takes.")
_SECONDS = flags.DEFINE_float("seconds", 20.0, "Seconds of each measurement.")
_REPEATS = flags.DEFINE_integer("repeats", 5, "Pairs of measurements.")

_TASK = "dmlab30:rooms_keys_doors_puzzle"
_STAND_IN = pathlib.Path(__file__).parents[1] / "tests" / "environments" / "stand_in"
_CACHED_SEED = 0


def main(argv: list[str]) -> int:
    """Measures as the flags say and prints JSON; returns 0."""
    del argv
    if _ENVIRONMENTS.value < 2 or _REPEATS.value < 1:
        raise config_lib.ConfigError(
            "--environments must be at least 2, and --repeats at least 1"
        )
    # Workers import what their parent can import.
    sys.path.insert(0, str(_STAND_IN))
    pairs = []
    with tempfile.TemporaryDirectory(prefix="slow_resets") as cache:
        _measure(cache, compiles=False, seconds=0.0)
        for turn in range(_REPEATS.value):
            # Which comes first takes turns, too.
            order = (True, False) if turn % 2 else (False, True)
            found = {each: _measure(cache, each, _SECONDS.value) for each in order}
            pairs.append(found)
            print(f"pair {turn}: {found}", file=sys.stderr)
    ratios = [pair[True]["others"] / pair[False]["others"] for pair in pairs]
    print(
        json.dumps(
            {
                "environments": _ENVIRONMENTS.value,
                "compile_seconds": _COMPILE_SECONDS.value,
                "cores": len(os.sched_getaffinity(0)),
                "others_steps_per_second": [pair[False]["others"] for pair in pairs],
                "others_steps_per_second_beside_one_that_compiles": [
                    pair[True]["others"] for pair in pairs
                ],
                "first_steps_per_second": [pair[False]["first"] for pair in pairs],
                "first_steps_per_second_compiling": [
                    pair[True]["first"] for pair in pairs
                ],
                "ratios": ratios,
                "median_ratio": float(np.median(ratios)),
            },
            indent=2,
        )
    )
    return 0


def _measure(cache: str, compiles: bool, seconds: float) -> dict[str, float]:
    """Returns the agent steps/s of the first environment and of all others."""
    cached = config_lib.LabConfig(
        level_cache=cache, first_level_seed=_CACHED_SEED, last_level_seed=_CACHED_SEED
    )
    new = config_lib.LabConfig(level_cache=cache, first_level_seed=_CACHED_SEED + 1)
    settings = [
        base.TaskSettings(
            _TASK, time.time_ns() + index, lab=new if compiles and not index else cached
        )
        for index in range(_ENVIRONMENTS.value)
    ]
    os.environ["STAND_IN_COMPILE_SECONDS"] = str(_COMPILE_SECONDS.value)
    environments = suites.make_batch(settings, 1, 1)
    steps = np.zeros(_ENVIRONMENTS.value, np.int64)
    try:
        environments.start()
        while not steps[1:].all():
            _step(environments, steps)
        steps[:], start = 0, time.monotonic()
        while time.monotonic() - start < seconds:
            _step(environments, steps)
        wall = max(time.monotonic() - start, 1e-9)
    finally:
        environments.close()
    return {"first": float(steps[0] / wall), "others": float(steps[1:].sum() / wall)}


def _step(environments: batch.EnvironmentBatch, steps: np.ndarray) -> None:
    ready = environments.wait(1.0)
    steps[ready] += 1
    at = np.zeros_like(ready)
    environments.step(ready, at, at, at)


if __name__ == "__main__":
    command_line.run(main)
