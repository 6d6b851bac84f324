"""What a population costs over as many runs that know nothing of each other.

  python -m benchmarks.population --size=8

Trains, in turn and several times: `single`, one run alone; `independent`, single runs
side by side; `threads`, a population in one process (local_mt); `processes`, one with a
process for each member (local_mp); `turns`, the same, one member at a time. Frames of
all members, and the CPU time of all processes, are counted from when the last of them
is warm to when the first one ends. Nothing is compiled meanwhile: all load what a short
run has compiled before, or single runs, which would compile all at once, would train
side by side only for a moment. Prints JSON.
"""

import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from absl import flags

from benchmarks import launched, watching
from kickstarting import config as config_lib
from launch import command_line, member_process

# Some updates.
_COMPILING_FRAMES = 5000

_TASK = flags.DEFINE_string("task", "doom:defend_the_line", "What is run.")
_SIZE = flags.DEFINE_integer("size", 8, "Members, and single runs.")
_FRAMES = flags.DEFINE_integer("frames", 100_000, "Environment frames of each member.")
_ENVIRONMENTS = flags.DEFINE_integer("environments", 4, "Environments of a member.")
_REPEATS = flags.DEFINE_integer("repeats", 3, "Turns; medians are printed.")
_CONDITIONS = flags.DEFINE_list(
    "conditions",
    ["single", "independent", "threads", "processes", "turns"],
    "What is run; independent always is.",
)


def main(argv: list[str]) -> int:
    """Measures as the flags say and prints JSON; returns 0."""
    del argv
    for flag in (_SIZE, _FRAMES, _ENVIRONMENTS, _REPEATS):
        if flag.value < 1:
            raise config_lib.ConfigError(f"--{flag.name} must be above 0")
    if _SIZE.value < 2:
        raise config_lib.ConfigError("--size must be above 1: one member is no more")
    size = f"--population_size={_SIZE.value}"
    processes = [size, "--lp_launch_type=local_mp"]
    every: dict[str, Sequence[str]] = {
        "single": [],
        "independent": [],
        "threads": [size],
        "processes": processes,
        "turns": [*processes, "--population_at_once=1"],
    }
    if set(_CONDITIONS.value) - set(every):
        raise config_lib.ConfigError(f"--conditions are among {', '.join(every)}")
    conditions = {
        name: extra
        for name, extra in every.items()
        if name in ("independent", *_CONDITIONS.value)
    }
    with _compiled():
        found = _turns(conditions)
    rate = "frames_per_second"
    summary = {
        "task": _TASK.value,
        "size": _SIZE.value,
        "environments_of_a_member": _ENVIRONMENTS.value,
        "cores": len(os.sched_getaffinity(0)),
        "runs": found,
        "over_independent": {
            name: float(
                np.median(
                    [
                        one[rate] / other[rate]
                        for one, other in zip(
                            found[name], found["independent"], strict=True
                        )
                    ]
                )
            )
            for name in conditions
            if name not in ("single", "independent")
        },
    }
    if "single" in conditions:
        alone = np.array([one["memory_mb"] for one in found["single"]])
        summary["memory_mb_of_a_further_member"] = {
            name: float(
                np.median(
                    (np.array([one["memory_mb"] for one in found[name]]) - alone)
                    / (_SIZE.value - 1)
                )
            )
            for name in conditions
            if name != "single"
        }
    print(json.dumps(summary, indent=2))
    return 0


@contextlib.contextmanager
def _compiled() -> Iterator[None]:
    """Lets every run that the block launches load what one before it has compiled."""
    with tempfile.TemporaryDirectory(prefix="compiled") as folder:
        os.environ[member_process.COMPILATION_CACHE] = folder
        with launched.run(_arguments(f"{folder}/run", _COMPILING_FRAMES)) as process:
            if process.wait():
                raise RuntimeError("the run that compiles failed")
        yield


def _turns(
    conditions: Mapping[str, Sequence[str]],
) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in conditions}
    for turn in range(_REPEATS.value):
        for name, extra in conditions.items():
            found[name].append(_measure(name, extra))
            print(f"turn {turn}: {name} {found[name][-1]}", file=sys.stderr)
    return found


def _arguments(logdir: str, frames: int) -> list[str]:
    return [
        f"--logdir={logdir}",
        f"--tasks={_TASK.value}",
        f"--total_frames={frames}",
        f"--environments_per_actor={_ENVIRONMENTS.value}",
        "--evaluation_episodes=0",
        "--checkpoint_minutes=60",
    ]


def _measure(name: str, extra: Sequence[str]) -> dict[str, float]:
    folder = tempfile.mkdtemp(prefix="population")
    size = 1 if name == "single" else _SIZE.value
    members = [os.path.join(folder, f"member_{index}") for index in range(size)]
    logdirs = members if name in ("single", "independent") else [folder]
    try:
        start = time.time()
        with contextlib.ExitStack() as stack:
            processes = [
                stack.enter_context(
                    launched.run([*_arguments(logdir, _FRAMES.value), *extra])
                )
                for logdir in logdirs
            ]
            watched = watching.watch(processes, members)
        if any(process.returncode for process in processes):
            raise RuntimeError(f"{name}: a run failed")
        return {
            **watched.rates(_FRAMES.value),
            "seconds_in_all": time.time() - start,
            "memory_mb": watched.memory_mb,
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    command_line.run(main)
