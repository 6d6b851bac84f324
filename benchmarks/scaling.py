"""A model of the ring, fed with this machine's measured parts, and checked by runs.

  python -m benchmarks.scaling

Measures each part alone on environments that wait and need no processor, as if they
were on machines of their own; predicts the agent steps/s of 1, 2, 4, 8 and 16 actors on
this machine, and runs them. Then says what 150, 1,500 and 15,000 actors with machines
of their own would ask of the other parts. Prints JSON; docs/scaling.md.
"""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import jax
import numpy as np
from absl import flags

from benchmarks import ring_model
from benchmarks.programs import launched, waiting_environment
from benchmarks.speed import costs as costs_lib
from benchmarks.speed import parts as parts_lib
from kickstarting.acting import newest_parameters
from kickstarting.agent.agent import Agent
from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.queue import example as trajectory_example
from kickstarting.reporting import run_files
from launch.flags import command_line

_ACTORS = flags.DEFINE_list("actors", ["1", "2", "4", "8", "16"], "Of the runs.")
_FAR_ACTORS = flags.DEFINE_list(
    "far_actors", ["150", "1500", "15000"], "Whose machines are not here."
)
_ENVIRONMENTS = flags.DEFINE_integer("environments", 8, "Environments of an actor.")
_STEP_SECONDS = flags.DEFINE_float("step_seconds", 0.05, "What an agent step waits.")
_SECONDS = flags.DEFINE_float("seconds", 40.0, "Of each run, after its start.")
_PART_SECONDS = flags.DEFINE_float("part_seconds", 8.0, "Of each part alone.")
_TEACHER = flags.DEFINE_string(
    "teacher",
    "teachers/doom/health_gathering",
    "Whose cost of a label counts for far actors.",
)
_TEACHER_TASK = "doom:health_gathering"
# Of a machine far away.
_NETWORK_BYTES = 10e9 / 8
_NETWORK_CORES = 32


def main(argv: list[str]) -> int:
    """Measures as the flags say and prints JSON; returns 0."""
    del argv
    if _ENVIRONMENTS.value < 2 or _STEP_SECONDS.value <= 0 or _SECONDS.value <= 0:
        raise config_lib.ConfigError(
            "--environments must be at least 2, --step_seconds and --seconds above 0"
        )
    # Ended early it leaves no run behind.
    os.environ[waiting_environment.SECONDS_VARIABLE] = str(_STEP_SECONDS.value)
    parts = _measure_parts()
    cores = len(os.sched_getaffinity(0))
    here = dataclasses.replace(parts, teacher=0.0)
    runs = []
    for count in map(int, _ACTORS.value):
        predicted = ring_model.on_one_machine(here, _ring(count), cores)
        measured = _run(count, predicted)
        runs.append(
            {
                "actors": count,
                "predicted": predicted,
                "measured": measured,
                "measured_over_predicted": measured / predicted,
            }
        )
        print(runs[-1], file=sys.stderr)
    print(
        json.dumps(
            {
                "cores": cores,
                "parts": dataclasses.asdict(parts),
                "runs": runs,
                "far": [_far(parts, int(count)) for count in _FAR_ACTORS.value],
            },
            indent=2,
        )
    )
    return 0


def _config(actors: int) -> config_lib.Config:
    return config_lib.Config(
        tasks=(waiting_environment.TASK,),
        logdir="unused",
        action_repeat=1,
        num_actors=actors,
        environments_per_actor=_ENVIRONMENTS.value,
    )


def _ring(actors: int) -> ring_model.Ring:
    config = _config(actors)
    return ring_model.Ring(
        actors,
        _ENVIRONMENTS.value,
        1.0 / newest_parameters.parameters_period(config),
        config.batch_size * config.unroll_length,
    )


def _measure_parts() -> ring_model.Parts:
    """Measures the parts on which the model rests."""
    config, seconds = _config(1), _PART_SECONDS.value
    spec = suites.environment_spec(config.tasks[0], config.action_repeat)
    teacher_config = config_lib.Config(tasks=(_TEACHER_TASK,), logdir="unused")
    acting = parts_lib.acting(config, seconds)
    batch_size = acting["batch_size"]
    cold_call = parts_lib.cold_call(config, spec, round(batch_size))
    others = {
        "queue": parts_lib.queue(config, spec),
        "teacher": parts_lib.teacher(teacher_config, _TEACHER.value),
        "update": parts_lib.learner_update(config, spec),
    }
    costs = {"acting": acting}
    for name, part in others.items():
        with part as step:
            costs[name] = costs_lib.cost(step, seconds)
    parameters = parts_lib.parameters(config, spec, seconds)
    example = trajectory_example.example(config, spec)
    unroll = sum(array.nbytes for array in jax.tree.leaves(example))
    params = Agent(spec, config.network).init_params(jax.random.key(0))
    return ring_model.Parts(
        wait_seconds=_STEP_SECONDS.value,
        batch_size=batch_size,
        cold_call=cold_call / 1e3,
        poll=parameters["poll"] / 1e3,
        pull=parameters["pull"] / 1e3,
        unroll_bytes=unroll / config.unroll_length,
        parameter_bytes=float(sum(each.nbytes for each in jax.tree.leaves(params))),
        **{name: cost["cpu_ms_per_step"] / 1e3 for name, cost in costs.items()},
    )


def _run(actors: int, predicted: float) -> float:
    """Returns the agent steps/s of a run, once it is warm."""
    logdir = tempfile.mkdtemp(prefix="scaling")
    try:
        arguments = [
            f"--tasks={waiting_environment.TASK}",
            f"--logdir={logdir}",
            "--action_repeat=1",
            f"--num_actors={actors}",
            f"--environments_per_actor={_ENVIRONMENTS.value}",
            f"--total_frames={10**9}",
            "--evaluation_episodes=0",
            "--lp_launch_type=local_mp",
        ]
        with launched.run(arguments) as process:
            begun = _wait_for_frames(process, logdir, int(predicted * 5))
            time.sleep(_SECONDS.value)
        metrics = run_files.read_metrics(logdir, ["seconds"])
        frames, seconds = metrics[run_files.FRAMES], metrics["seconds"]
        first = int(np.searchsorted(frames, begun))
        return float((frames[-1] - frames[first]) / (seconds[-1] - seconds[first]))
    finally:
        shutil.rmtree(logdir, ignore_errors=True)


def _wait_for_frames(process: subprocess.Popen[bytes], logdir: str, wanted: int) -> int:
    """Waits until a run is warm; returns how far it is then."""
    while True:
        if process.poll() is not None:
            raise RuntimeError(f"the program ended with status {process.returncode}")
        try:
            frames = run_files.newest_row(logdir).get(run_files.FRAMES, -1)
        except run_files.RunFilesError:
            frames = -1
        if frames >= wanted:
            return int(frames)
        time.sleep(1.0)


def _far(parts: ring_model.Parts, actors: int) -> dict[str, object]:
    """Returns what actors on machines of their own ask of everything else."""
    ring = _ring(actors)
    steps = ring_model.demand(parts, ring)
    return {
        "actors": actors,
        "agent_steps_per_second": steps,
        "updates_per_second": steps / ring.steps_per_update,
        "loads": [
            {
                **dataclasses.asdict(load),
                "machines": ring_model.replicas(load, _NETWORK_CORES, _NETWORK_BYTES),
            }
            for load in ring_model.loads(parts, ring, steps)
        ],
    }


if __name__ == "__main__":
    command_line.run(main)
