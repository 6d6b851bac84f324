"""What a population costs over as many runs that know nothing of each other.

  python -m benchmarks.population --size=8

Trains, in turn and several times: `single`, one run alone; `independent`, single runs
side by side; `threads`, a population in one process (local_mt); `processes`, one with a
process for each member (local_mp); `turns`, the same, one member at a time; `beside`,
`processes` and as many single runs at the same time, which a machine whose speed comes
and goes does not tell apart. Frames of
all members, and the CPU time of all processes, are counted from when the last of them
is warm to when the first one ends. Nothing is compiled meanwhile: all load what a short
run has compiled before, or single runs, which would compile all at once, would train
side by side only for a moment. Prints JSON.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent import futures

import numpy as np
from absl import flags

from benchmarks.programs import launched, watching
from kickstarting.config import run as config_lib
from launch.computing import compilation_cache
from launch.flags import command_line, counts

# Some updates.
_COMPILING_FRAMES = 5000
_POLL_SECONDS = 1.0

_TASK = flags.DEFINE_string("task", "doom:defend_the_line", "What is run.")
_SIZE = flags.DEFINE_integer("size", 8, "Members, and single runs.")
_FRAMES = counts.define("frames", 100_000, "Environment frames of each member.")
_ENVIRONMENTS = flags.DEFINE_integer("environments", 4, "Environments of a member.")
_REPEATS = flags.DEFINE_integer("repeats", 3, "Turns; medians are printed.")
_CONDITIONS = flags.DEFINE_list(
    "conditions",
    ["single", "independent", "threads", "processes", "turns", "beside"],
    "What is run; with any but beside, independent always is.",
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
    if set(_CONDITIONS.value) - {*every, "beside"}:
        raise config_lib.ConfigError(f"--conditions are among {', '.join(every)}")
    alone = {name: extra for name, extra in every.items() if name in _CONDITIONS.value}
    conditions = {"independent": every["independent"], **alone} if alone else {}
    beside = "beside" in _CONDITIONS.value
    with _compiled():
        found = _turns(conditions)
        pairs = [_measure_beside(processes) for _ in range(_REPEATS.value * beside)]
    summary: dict[str, object] = {
        "task": _TASK.value,
        "size": _SIZE.value,
        "environments_of_a_member": _ENVIRONMENTS.value,
        "cores": len(os.sched_getaffinity(0)),
        "runs": found,
        "over_independent": {
            name: _median_ratio(
                [
                    {"independent": other, name: one}
                    for one, other in zip(runs, found["independent"], strict=True)
                ],
                name,
                "frames_per_second",
            )
            for name, runs in found.items()
            if name not in ("single", "independent")
        },
    }
    if pairs:
        summary["beside"] = pairs
        summary["beside_over_independent"] = {
            rate: _median_ratio(pairs, "processes", rate)
            for rate in pairs[0]["processes"]
        }
    if "single" in conditions:
        memory = {
            name: np.array([one["memory_mb"] for one in runs])
            for name, runs in found.items()
        }
        summary["memory_mb_of_a_further_member"] = {
            name: float(np.median((all_mb - memory["single"]) / (_SIZE.value - 1)))
            for name, all_mb in memory.items()
            if name != "single"
        }
    print(json.dumps(summary, indent=2))
    return 0


def _median_ratio(
    pairs: Sequence[Mapping[str, Mapping[str, float]]], name: str, rate: str
) -> float:
    return float(
        np.median([pair[name][rate] / pair["independent"][rate] for pair in pairs])
    )


@contextlib.contextmanager
def _compiled() -> Iterator[None]:
    """Lets every run that the block launches load what one before it has compiled."""
    with tempfile.TemporaryDirectory(prefix="compiled") as folder:
        os.environ[compilation_cache.FOLDER] = folder
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


def _measure_beside(extra: Sequence[str]) -> dict[str, dict[str, float]]:
    """Trains a population and single runs at once; returns the rates of both."""
    with tempfile.TemporaryDirectory(prefix="population") as folder:
        size = range(_SIZE.value)
        singles = [os.path.join(folder, f"single_{index}") for index in size]
        together = os.path.join(folder, "population")
        members = [os.path.join(together, f"member_{index}") for index in size]
        with contextlib.ExitStack() as stack:
            watchers = stack.enter_context(futures.ThreadPoolExecutor())

            def launch(logdir: str, *flags_of_run: str) -> subprocess.Popen[bytes]:
                arguments = _arguments(logdir, _FRAMES.value)
                return stack.enter_context(launched.run([*arguments, *flags_of_run]))

            # Its members begin when the last of them can: singles would be far ahead.
            population = launch(together, *extra)
            while not all(map(watching.frames_of, members)):
                if population.poll() is not None:
                    raise RuntimeError("the population failed")
                time.sleep(_POLL_SECONDS)
            independent = [launch(logdir) for logdir in singles]
            watched = {
                "independent": watchers.submit(watching.watch, independent, singles),
                "processes": watchers.submit(watching.watch, [population], members),
            }
            futures.wait(watched.values(), return_when=futures.FIRST_COMPLETED)
            for process in (population, *independent):
                process.terminate()
            seen = [each.result() for each in watched.values()]
        rates = watching.rates_together(seen, _FRAMES.value)
        pair = dict(zip(watched, rates, strict=True))
        print(f"beside each other: {pair}", file=sys.stderr)
        return pair


if __name__ == "__main__":
    command_line.run(main)
