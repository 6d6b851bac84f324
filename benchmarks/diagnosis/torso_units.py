"""How many of the torso's units a run has left.

  python -m benchmarks.diagnosis.torso_units --run=runs/one --run=runs/another

A unit that is 0 in every state passes no gradient back and never lives again; a network
in which few are left, and large, no longer tells states apart. Applies the newest
checkpoint of each run to frames that a random policy sees. Prints JSON: the share of
the units that are above 0 in any frame, and the largest value.
"""

import json
from typing import NamedTuple

import jax
import numpy as np
from absl import flags

from kickstarting.agent import networks, trajectory
from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from launch.flags import command_line
from launch.reports import policies

_RUNS = flags.DEFINE_multi_string("run", [], "A run's folder; may be given again.")
_FRAMES = flags.DEFINE_integer("frames", 300, "Frames to look at.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 3, "Seeds the level and the random policy.")


class Units(NamedTuple):
    """What is left of a torso.

    Attributes:
      alive: share of its units that are above 0 in any frame.
      largest: value of a unit.
    """

    alive: float
    largest: float


def main(argv: list[str]) -> int:
    """Measures as the flags say and prints JSON; returns 0."""
    del argv
    if not _RUNS.value:
        raise config_lib.ConfigError("--run is to name a run's folder")
    found = {}
    for run in _RUNS.value:
        policy = policies.load(run)
        observation = _observed(policy, _FRAMES.value, _SEED.value)
        found[run] = units(policy, observation)._asdict()
    print(json.dumps(found, indent=1))
    return 0


def units(policy: policies.Policy, observation: trajectory.Observation) -> Units:
    """Returns what a policy's torso makes of observations [1, T, ...]."""
    network = networks.ActorCritic(
        num_actions=policy.spec.num_actions,
        torso=policy.agent.torso,
        core_size=policy.network.core_size,
        num_values=policy.network.num_values,
        language=policy.network.language,
    )
    _, captured = jax.jit(
        lambda params: network.apply(
            {"params": params},
            observation,
            np.zeros(observation.last_action.shape, bool),
            policy.agent.initial_state(1),
            capture_intermediates=lambda module, _: module.name == "torso",
            mutable=["intermediates"],
        )
    )(policy.params)
    (values,) = captured["intermediates"]["torso"]["__call__"]
    return Units(float((values > 0).any(axis=0).mean()), float(values.max()))


def _observed(
    policy: policies.Policy, frames: int, seed: int
) -> trajectory.Observation:
    """Returns what a random policy sees of the policy's first task, [1, T, ...]."""
    repeat = policy.spec.action_repeat
    environment = suites.make_environment(
        base.TaskSettings(policy.tasks[0], seed, repeat)
    )
    random = np.random.default_rng(seed)
    timestep = environment.reset()
    seen = []
    for _ in range(frames):
        seen.append(timestep.observation)
        timestep = environment.step(int(random.integers(policy.spec.num_actions)))
    environment.close()
    pixels, instruction = (
        np.stack([each[name] for each in seen])[None]
        for name in (base.PIXELS, base.INSTRUCTION)
    )
    zeros = np.zeros((1, frames))
    return trajectory.Observation(
        pixels, instruction, zeros.astype(np.int32), zeros.astype(np.float32)
    )


if __name__ == "__main__":
    command_line.run(main)
