"""How long a member of a population takes to copy another one's weights.

  python -m benchmarks.weight_copy

Two learners that train nothing serve in this process; the weights of one go through
Courier on loopback to a controller and on to the other, as when a member copies. Prints
JSON: medians, for IMPALA's shallow and deep network.
"""

import json
import tempfile
import time

import courier
import numpy as np
from absl import flags

from kickstarting.agent.agent import Agent
from kickstarting.config import run as config_lib
from kickstarting.config.agent import NetworkConfig
from kickstarting.environments import suites
from kickstarting.learning import learner, update
from kickstarting.reporting import run_files, telemetry
from kickstarting.storage import checkpoints as checkpoints_lib
from launch.flags import command_line

_TASK = flags.DEFINE_string("task", "doom:defend_the_line", "Of which the frames are.")
_REPEATS = flags.DEFINE_integer("repeats", 20, "Copies; medians are printed.")

_TORSOS = ("shallow", "deep")


def main(argv: list[str]) -> int:
    """Measures as the flags say and prints JSON; returns 0."""
    del argv
    if _REPEATS.value < 1:
        raise config_lib.ConfigError(f"--repeats must be above 0: {_REPEATS.value}")
    print(json.dumps({torso: _measure(torso) for torso in _TORSOS}, indent=2))
    return 0


def _measure(torso: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        servers = [_serve(_learner(torso, f"{folder}/{name}")) for name in "ab"]
        one, other = (courier.Client(server.address) for server in servers)
        seconds = []
        for _ in range(_REPEATS.value):
            start = time.monotonic()
            weights = one.weights()
            other.adopt(weights)
            seconds.append(time.monotonic() - start)
        for server in servers:
            server.Stop()
    return {
        "megabytes": sum(np.asarray(each).nbytes for each in weights) / 1e6,
        "milliseconds": 1e3 * float(np.median(seconds)),
        "slowest_milliseconds": 1e3 * float(np.max(seconds)),
    }


def _serve(member: learner.Learner) -> courier.Server:
    server = courier.Server()
    server.Bind("weights", member.weights)
    server.Bind("adopt", member.adopt)
    server.Start()
    return server


def _learner(torso: str, logdir: str) -> learner.Learner:
    config = config_lib.Config(
        (_TASK.value,), logdir, network=NetworkConfig(torso=torso)
    )
    spec = suites.environment_spec(_TASK.value, config.action_repeat)
    agent = Agent(spec, config.network)
    return learner.Learner(
        config,
        update.shared(agent, config),
        lambda: iter(()),
        checkpoints_lib.Checkpoints(f"{logdir}/checkpoints", 1),
        {},
        telemetry.Telemetry(config.tasks, [None], config.total_frames),
        run_files.RunFiles(logdir),
        np.full((1, 1), np.nan, np.float32),
        np.zeros(1, np.float32),
    )


if __name__ == "__main__":
    command_line.run(main)
