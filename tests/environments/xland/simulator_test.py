"""Tests of a level's dynamics against the library's own step."""

from typing import Any

import chex
import jax
import numpy as np
import xminigrid
from absl.testing import absltest, parameterized

from kickstarting.environments.xland import simulator as xland_simulator
from kickstarting.environments.xland import xland

_NUM_STEPS = 150


def _played(step: Any, timestep: Any, seed: int) -> list[Any]:
    """Returns the time steps of an episode of random actions, as it is on the host."""
    random = np.random.default_rng(seed)
    timesteps = [timestep]
    while len(timesteps) <= _NUM_STEPS and not timesteps[-1].last():
        action = np.int32(random.integers(len(xland.ACTION_NAMES)))
        timesteps.append(step(timesteps[-1], action))
    return jax.device_get(timesteps)


class SimulatorTest(parameterized.TestCase):
    @parameterized.parameters(
        # One kind of goal, none, and one that an episode draws.
        "MiniGrid-EmptyRandom-5x5",
        "MiniGrid-MemoryS8",
        "MiniGrid-UnlockPickUp",
    )
    def test_steps_as_the_library_does(self, level: str) -> None:
        simulator = xland_simulator.simulator(level, 1)
        environment, parameters = xminigrid.make(level)
        library_step = jax.jit(environment.step)
        for seed in range(3):
            opening = simulator.reset(jax.random.PRNGKey(seed))
            ours = _played(
                lambda timestep, action: simulator.step(timestep, action)[0],
                opening,
                seed,
            )
            theirs = _played(
                lambda timestep, action: library_step(parameters, timestep, action),
                opening,
                seed,
            )
            self.assertGreater(len(ours), 5)
            chex.assert_trees_all_equal(ours, theirs)

    def test_a_level_has_one_simulator(self) -> None:
        self.assertIs(
            xland_simulator.simulator("MiniGrid-Empty-5x5", 1),
            xland_simulator.simulator("MiniGrid-Empty-5x5", 1),
        )


class NoRulesTest(parameterized.TestCase):
    @parameterized.parameters(*xland.levels())
    def test_no_level_has_rules(self, level: str) -> None:
        environment, parameters = xminigrid.make(level)
        rules = []

        def open_episode(key: jax.Array) -> jax.Array:
            timestep = environment.reset(parameters, key)
            rules.append(timestep.state.rule_encoding)
            return timestep.observation

        jax.eval_shape(open_episode, jax.random.PRNGKey(0))
        self.assertEqual(np.count_nonzero(rules[0]), 0)


if __name__ == "__main__":
    absltest.main()
