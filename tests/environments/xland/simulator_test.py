"""Tests of a level's dynamics against the library's own step, and of its view."""

from typing import Any

import chex
import jax
import numpy as np
import xminigrid
from absl.testing import absltest, parameterized
from xminigrid.core import constants

from kickstarting.environments.xland import simulator as xland_simulator
from kickstarting.environments.xland import xland

_NUM_STEPS = 150
_FORWARD, _RIGHT, _LEFT, _PICK_UP, _PUT_DOWN, _ = range(len(xland.ACTION_NAMES))
_FLOOR = constants.TILES_REGISTRY[constants.Tiles.FLOOR, constants.Colors.BLACK]
_WALL = constants.TILES_REGISTRY[constants.Tiles.WALL, constants.Colors.GREY]
_YELLOW_KEY = constants.TILES_REGISTRY[constants.Tiles.KEY, constants.Colors.YELLOW]


def _played(step: Any, timestep: Any, seed: int) -> list[Any]:
    """Returns the time steps of an episode of random actions, as it is on the host."""
    random = np.random.default_rng(seed)
    timesteps = [timestep]
    while len(timesteps) <= _NUM_STEPS and not timesteps[-1].last():
        action = np.int32(random.integers(len(xland.ACTION_NAMES)))
        timesteps.append(step(timesteps[-1], action))
    return jax.device_get(timesteps)


def _with_agent(timestep: Any, **changes: Any) -> Any:
    state = timestep.state
    return timestep.replace(state=state.replace(agent=state.agent.replace(**changes)))


def _drawn(timestep: Any) -> Any:
    """Returns a time step of the library with what its agent carries in the view."""
    carried = timestep.state.agent.pocket
    if carried[0] == constants.Tiles.EMPTY:
        return timestep
    view = timestep.observation.copy()
    view[-1, view.shape[1] // 2] = carried
    return timestep.replace(observation=view)


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
        for seed, carried in enumerate((None, None, _YELLOW_KEY)):
            opening = simulator.reset(jax.random.PRNGKey(seed))
            if carried is not None:
                opening = _with_agent(opening, pocket=carried)
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
            chex.assert_trees_all_equal(ours[1:], [_drawn(each) for each in theirs[1:]])

    def test_a_level_has_one_simulator(self) -> None:
        self.assertIs(
            xland_simulator.simulator("MiniGrid-Empty-5x5", 1),
            xland_simulator.simulator("MiniGrid-Empty-5x5", 1),
        )


class CarriedTest(absltest.TestCase):
    def test_is_in_the_agents_own_cell_of_the_view(self) -> None:
        simulator = xland_simulator.simulator("MiniGrid-DoorKey-5x5", 1)
        timestep = simulator.reset(jax.random.PRNGKey(1))
        # The room's only column: the agent, the key that it looks down at, and floor.
        column = np.stack([_FLOOR, _YELLOW_KEY, _FLOOR])
        grid = timestep.state.grid.at[1:4, 1].set(column)
        timestep = timestep.replace(state=timestep.state.replace(grid=grid))
        timestep = _with_agent(
            timestep, position=np.array((1, 1)), direction=np.array(2)
        )
        for action, own_cell, cell_ahead in (
            (_PUT_DOWN, _FLOOR, _YELLOW_KEY),
            (_PICK_UP, _YELLOW_KEY, _FLOOR),
            (_RIGHT, _YELLOW_KEY, _WALL),
            (_LEFT, _YELLOW_KEY, _FLOOR),
            (_FORWARD, _YELLOW_KEY, _FLOOR),
            (_PUT_DOWN, _FLOOR, _YELLOW_KEY),
            (_PICK_UP, _YELLOW_KEY, _FLOOR),
        ):
            timestep, _ = simulator.step(timestep, np.int32(action))
            view = np.asarray(timestep.observation)
            np.testing.assert_array_equal(view[-1, 3], own_cell)
            np.testing.assert_array_equal(view[-2, 3], cell_ahead)
        opened = simulator.reset(jax.random.PRNGKey(1))
        np.testing.assert_array_equal(opened.observation[-1, 3], _FLOOR)


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
