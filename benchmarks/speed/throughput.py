"""Agent steps/s of the whole program, and what its parts alone would allow.

  python -m benchmarks.speed.throughput --teacher=teachers/doom/health_gathering

Runs the program from scratch, kickstarted and weaned, with one pass over the data, and
from scratch with four passes, in turn and several times, on
doom:health_gathering_supreme with 16 environments; then each part, alone and with
another on the other core. The limit is the machine's cores divided by the sum of the
parts' CPU seconds for an agent step.
--against=REVISION runs that revision's program in the same turns, with its defaults
where --against_flags says nothing else. With --sample_factory_python (an interpreter
with the pins of benchmarks/peers/sample_factory.txt) sample-factory's APPO runs in them
too, with its own settings for the level. Prints JSON.
"""

import contextlib
import json
import os
import shutil
import sys
import tempfile

import numpy as np
from absl import flags

from benchmarks.peers import training as peer_training
from benchmarks.programs import launched, measured, revision
from benchmarks.speed import apart, arithmetic
from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.teaching import teachers
from launch.flags import command_line, counts

_TASK = flags.DEFINE_string("task", "doom:health_gathering_supreme", "What is run.")
_TEACHER = flags.DEFINE_string(
    "teacher", "teachers/doom/health_gathering", "A teacher of the same size."
)
_FRAMES = counts.define("frames", 200_000, "Environment frames of each run.")
_REPEATS = flags.DEFINE_integer("repeats", 3, "Turns; medians are printed.")
_PART_SECONDS = flags.DEFINE_float("part_seconds", 8.0, "Seconds for each part.")
_SAMPLE_FACTORY_PYTHON = flags.DEFINE_string(
    "sample_factory_python", None, "Interpreter that has sample-factory."
)
_AGAINST = flags.DEFINE_string(
    "against", None, "A revision whose program runs in the same turns."
)
_AGAINST_FLAGS = flags.DEFINE_string(
    "against_flags", "", "Further flags of that program, separated by spaces."
)

# The defaults, without what is recommended for doom: one pass, actors that never wait.
_ONE_PASS = ["--norecommended"]
# The part that keeps the other core busy while each is measured.
_BESIDE = {
    "environment": "update",
    "inference": "environment",
    "update": "environment",
    "queue": "update",
    "teacher": "update",
}
_FOUR_PASSES = [*_ONE_PASS, "--window_batches=4", "--passes=4"]


def main(argv: list[str]) -> int:
    """Measures as the flags say and prints JSON; returns 0."""
    del argv
    if not 1 <= _REPEATS.value <= 100:
        raise config_lib.ConfigError(
            f"--repeats must be in 1..100, not {_REPEATS.value}"
        )
    # Before the first run, which lasts minutes.
    teachers.load(_TEACHER.value)
    teacher = f"--teachers={_TEACHER.value}"
    constant = "--kickstarting_schedule=constant"
    conditions = {
        "from_scratch": _ONE_PASS,
        "kickstarted": [*_ONE_PASS, teacher, constant],
        # λ ends at the first frame: the teacher is there, but is never asked.
        "weaned": [*_ONE_PASS, teacher, constant, "--kickstarting_end_frames=1"],
        "four_passes": _FOUR_PASSES,
    }
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in conditions}
    opponent: list[float] = []
    with contextlib.ExitStack() as stack:
        if _AGAINST.value:
            folder = stack.enter_context(revision.checkout(_AGAINST.value))
            runs["against"] = []
        for turn in range(_REPEATS.value):
            for name, extra in conditions.items():
                runs[name].append(measured.training(_TASK.value, _FRAMES.value, extra))
                print(f"turn {turn}: {name} {runs[name][-1]}", file=sys.stderr)
            if _AGAINST.value:
                extra = _AGAINST_FLAGS.value.split()
                runs["against"].append(
                    measured.training(_TASK.value, _FRAMES.value, extra, folder)
                )
                print(f"turn {turn}: against {runs['against'][-1]}", file=sys.stderr)
            if _SAMPLE_FACTORY_PYTHON.value:
                opponent.append(_run_sample_factory(_SAMPLE_FACTORY_PYTHON.value))
                print(f"turn {turn}: sample-factory {opponent[-1]}", file=sys.stderr)
    print(json.dumps(_summary(runs, opponent), indent=2))
    return 0


def _summary(
    runs: dict[str, list[dict[str, float]]], opponent: list[float]
) -> dict[str, object]:
    config = config_lib.Config(tasks=(_TASK.value,), logdir="unused")
    spec = suites.environment_spec(_TASK.value, config.action_repeat)
    seconds = _PART_SECONDS.value
    turns = [_part_costs() for _ in range(_REPEATS.value)]
    cpu_ms = _part_medians(turns, "alone")
    beside = _part_medians(turns, "beside")
    product = arithmetic.product_gflops(seconds)
    update = arithmetic.update_gflops(config, spec, cpu_ms["update"])
    cores = len(os.sched_getaffinity(0))
    limit = 1e3 * cores / _of_ring(cpu_ms)
    ring = _median(runs["from_scratch"], "cpu_ms_per_step")
    median = {
        name: _median(turns, "agent_steps_per_second") for name, turns in runs.items()
    }
    summary: dict[str, object] = {
        "task": _TASK.value,
        "cores": cores,
        "agent_steps_per_second": {
            name: [run["agent_steps_per_second"] for run in turns]
            for name, turns in runs.items()
        },
        "median_agent_steps_per_second": median,
        "cpu_ms_per_step": {
            name: [run["cpu_ms_per_step"] for run in turns]
            for name, turns in runs.items()
        },
        "parts": turns,
        "parts_cpu_ms_alone": cpu_ms,
        "parts_cpu_ms_beside": beside,
        "matrix_product_gflops": product,
        "update_gflops": update,
        "update_over_matrix_product": update / product,
        "inference_over_update": cpu_ms["inference"] / cpu_ms["update"],
        "inference_over_update_beside": beside["inference"] / beside["update"],
        "limit_from_scratch": limit,
        "from_scratch_share_of_limit": median["from_scratch"] / limit,
        "limit_kickstarted": 1e3 * cores / sum(cpu_ms.values()),
        "from_scratch_over_parts_alone": ring / _of_ring(cpu_ms),
        "from_scratch_over_parts_beside": ring / _of_ring(beside),
        "kickstarted_over_from_scratch": _ratio(runs, "kickstarted"),
        "weaned_over_from_scratch": _ratio(runs, "weaned"),
        "four_passes_over_from_scratch": _ratio(runs, "four_passes"),
        "memory_mb": max(run["memory_mb"] for run in runs["from_scratch"]),
        "worker_memory_mb": max(run["worker_mb"] for run in runs["from_scratch"]),
    }
    if "against" in runs:
        summary["against"] = _AGAINST.value
        summary["cpu_ms_per_step_over_against"] = 1 / _ratio(
            runs, "against", "cpu_ms_per_step"
        )
    if opponent:
        pairs = zip(runs["from_scratch"], opponent, strict=True)
        summary["sample_factory_agent_steps_per_second"] = opponent
        summary["from_scratch_over_sample_factory"] = float(
            np.median([run["agent_steps_per_second"] / other for run, other in pairs])
        )
    return summary


def _part_costs() -> dict[str, dict[str, dict[str, float]]]:
    """Measures each part alone, and then beside what is busy when it is in the ring."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for part, other in _BESIDE.items():
        found[part] = {
            name: apart.measured(
                part, _TASK.value, _TEACHER.value, _PART_SECONDS.value, beside
            )
            for name, beside in (("alone", None), ("beside", other))
        }
        print(f"{part} {found[part]}", file=sys.stderr)
    return found


def _part_medians(
    turns: list[dict[str, dict[str, dict[str, float]]]], how: str
) -> dict[str, float]:
    return {
        part: _median([turn[part][how] for turn in turns], "cpu_ms_per_step")
        for part in _BESIDE
    }


def _of_ring(cpu_ms: dict[str, float]) -> float:
    """Returns the sum of the parts that a run without a teacher has."""
    return sum(ms for part, ms in cpu_ms.items() if part != "teacher")


def _median(turns: list[dict[str, float]], what: str) -> float:
    return float(np.median([run[what] for run in turns]))


def _ratio(
    runs: dict[str, list[dict[str, float]]],
    name: str,
    what: str = "agent_steps_per_second",
) -> float:
    """Returns the median over the turns of a condition's share of from_scratch's."""
    pairs = zip(runs[name], runs["from_scratch"], strict=True)
    return float(np.median([one[what] / other[what] for one, other in pairs]))


def _run_sample_factory(python: str) -> float:
    out = tempfile.mkdtemp(prefix="sample_factory")
    try:
        training = peer_training.Training(
            task=_TASK.value, seed=1, frames=_FRAMES.value, folder=out, threads=1
        )
        command = (python, "-m", "benchmarks.peers.sample_factory_appo")
        with launched.run(training.arguments(), command=command) as process:
            if process.wait():
                raise RuntimeError(f"it ended with status {process.returncode}")
        episodes = list(peer_training.read_episodes(out))
        warm = next(
            each
            for each in episodes
            if each.frames >= measured.WARM_UP_SHARE * _FRAMES.value
        )
        frames = episodes[-1].frames - warm.frames
        seconds = episodes[-1].seconds - warm.seconds
        return float(frames / seconds) / config_lib.Config.action_repeat
    finally:
        shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    command_line.run(main)
