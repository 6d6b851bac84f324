"""Tests of the dynamics against the library's own step, and of the view."""

import jax
import numpy as np
import xminigrid
from absl.testing import absltest, parameterized
from xminigrid import types
from xminigrid.core import constants

from kickstarting.environments import base
from kickstarting.environments.xland import openings, worlds, xland

_NUM_WORLDS = 500
_NUM_STEPS = 30
_LIMIT = 25
_SIZE = 8
_VIEW = 7
_NUM_ACTIONS = len(xland.ACTION_NAMES)
_FORWARD, _RIGHT, _LEFT, _PICK_UP, _PUT_DOWN, _ = range(_NUM_ACTIONS)
_FLOOR = constants.TILES_REGISTRY[constants.Tiles.FLOOR, constants.Colors.BLACK]
_WALL = constants.TILES_REGISTRY[constants.Tiles.WALL, constants.Colors.GREY]
_YELLOW_KEY = constants.TILES_REGISTRY[constants.Tiles.KEY, constants.Colors.YELLOW]
# What a task may be about: nothing, what is held, what is stood on, what is somewhere.
_GOALS = (0, 1, 2, 5)


def _random_openings(random: np.random.Generator) -> list[openings.Opening]:
    """Returns rooms full of whatever there is, in two colours, within walls."""
    drawn = []
    for _ in range(_NUM_WORLDS):
        grid = np.tile(np.asarray(_WALL), (_SIZE, _SIZE, 1))
        inside = (_SIZE - 2, _SIZE - 2)
        tiles = random.integers(1, constants.NUM_TILES, inside)
        tiles = np.where(random.random(inside) < 0.4, constants.Tiles.FLOOR, tiles)
        colours = random.integers(5, 7, inside)
        grid[1:-1, 1:-1] = np.stack([tiles, colours], axis=-1)
        carried = random.choice([constants.Tiles.EMPTY, constants.Tiles.KEY])
        place = random.integers(1, _SIZE - 1, 2)
        tile = grid[tuple(place)]
        kind = random.choice(_GOALS)
        drawn.append(
            openings.Opening(
                grid=grid,
                position=random.integers(1, _SIZE - 1, 2).astype(np.int32),
                direction=np.int32(random.integers(4)),
                pocket=np.array([carried, carried and 5], np.uint8),
                # A tile that is there already is reached at once; another one, later.
                goal=np.array([kind, tile[0], random.integers(5, 7), *place], np.uint8),
            )
        )
    return drawn


def _timesteps(drawn: list[openings.Opening]) -> types.TimeStep:
    """Returns the library's time steps of these openings, with leading axis [N]."""
    environment, parameters = xminigrid.make("MiniGrid-Empty-8x8")
    opened = environment.reset(parameters, jax.random.PRNGKey(0))
    opened = jax.tree.map(lambda x: np.stack([x] * len(drawn)), opened)
    together = openings.Opening(*map(np.stack, zip(*drawn, strict=True)))
    agent = opened.state.agent.replace(
        position=together.position,
        direction=together.direction,
        pocket=together.pocket,
    )
    state = opened.state.replace(
        grid=together.grid, agent=agent, goal_encoding=together.goal
    )
    return opened.replace(state=state)


def _seen(timesteps: types.TimeStep) -> np.ndarray:
    """Returns the library's observations [N, V, V, 2], with what is carried in them."""
    views = np.array(timesteps.observation)
    carried = np.asarray(timesteps.state.agent.pocket)
    carries = carried[:, 0] != constants.Tiles.EMPTY
    views[carries, -1, views.shape[2] // 2] = carried[carries]
    return views


class WorldsTest(parameterized.TestCase):
    def test_steps_as_the_library_does_whatever_there_is(self) -> None:
        random = np.random.default_rng(0)
        drawn = _random_openings(random)
        timesteps = _timesteps(drawn)
        environment, parameters = xminigrid.make("MiniGrid-Empty-8x8")
        parameters = parameters.replace(max_steps=_LIMIT)
        library_step = jax.jit(
            jax.vmap(environment.step, in_axes=(None, 0, 0)), static_argnums=0
        )
        ours = worlds.Worlds(
            [(_SIZE, _SIZE)] * _NUM_WORLDS, _VIEW, [_LIMIT] * _NUM_WORLDS
        )
        for world, opening in enumerate(drawn):
            ours.open(world, opening)
        everyone = np.arange(_NUM_WORLDS)
        num_reached = np.zeros(max(_GOALS) + 1, int)
        for _ in range(_NUM_STEPS):
            actions = random.integers(_NUM_ACTIONS, size=_NUM_WORLDS).astype(np.int32)
            timesteps = library_step(parameters, timesteps, actions)
            outcome = ours.step(everyone, actions)
            states = [ours.state(world) for world in everyone.tolist()]
            grids = np.stack([grid for grid, _ in states])
            np.testing.assert_array_equal(grids, timesteps.state.grid)
            agents = jax.tree.map(lambda *x: np.stack(x), *(each for _, each in states))
            jax.tree.map(np.testing.assert_array_equal, agents, timesteps.state.agent)
            np.testing.assert_array_equal(ours.views(everyone), _seen(timesteps))
            # What compiles the library's step may round in between, near 1.
            np.testing.assert_allclose(outcome.reward, timesteps.reward, atol=1e-7)
            np.testing.assert_array_equal(outcome.terminated, timesteps.discount == 0)
            np.testing.assert_array_equal(outcome.over, timesteps.last())
            kinds = np.array([each.goal[0] for each in drawn])
            num_reached += np.bincount(
                kinds[outcome.terminated], minlength=len(num_reached)
            )
        self.assertEqual(num_reached[0], 0)
        self.assertGreater(num_reached[list(_GOALS[1:])].min(), 5)

    def test_plays_memory_as_the_library_does(self) -> None:
        level = "MiniGrid-MemoryS8"
        environment, parameters = xminigrid.make(level)
        reset, library_step = jax.jit(environment.reset), jax.jit(environment.step)
        # Beside a world of another size.
        ours = worlds.Worlds(
            [(19, 19), (parameters.height, parameters.width)],
            parameters.view_size,
            [1, parameters.max_steps],
        )
        random = np.random.default_rng(1)
        drawn = openings.openings(level, 7)
        key, second, num_over = jax.random.PRNGKey(7), np.array([1]), 0
        for _ in range(20):
            key, opening_key = jax.random.split(key)
            timestep = reset(parameters, opening_key)
            ours.open(1, next(drawn))
            for _ in range(60):
                seen = _seen(jax.tree.map(lambda x: x[None], timestep))
                np.testing.assert_array_equal(ours.views(second), seen)
                if timestep.last():
                    num_over += 1
                    break
                action = random.choice(_NUM_ACTIONS, p=(0.5, 0.2, 0.1, 0.1, 0.05, 0.05))
                timestep = library_step(parameters, timestep, np.int32(action))
                outcome = ours.step(second, np.array([action]))
                np.testing.assert_allclose(
                    outcome.reward[0], timestep.reward, atol=1e-7
                )
                self.assertEqual(outcome.terminated[0], timestep.discount == 0)
                self.assertEqual(outcome.over[0], timestep.last())
        self.assertGreater(num_over, 2)

    def test_what_is_carried_is_in_the_agents_own_cell(self) -> None:
        world, one = worlds.Worlds([(5, 5)], _VIEW, [100]), np.zeros(1, int)
        # A column: the agent, the key that it looks down at, and floor.
        grid = np.tile(np.asarray(_WALL), (5, 5, 1))
        grid[1:4, 1] = np.stack([_FLOOR, _YELLOW_KEY, _FLOOR])
        nothing, no_goal = np.zeros(2, np.uint8), np.zeros(5, np.uint8)
        opening = openings.Opening(
            grid, np.array([1, 1]), np.array(2), nothing, no_goal
        )
        world.open(0, opening)
        for action, own_cell, cell_ahead in (
            (_PUT_DOWN, _FLOOR, _YELLOW_KEY),
            (_PICK_UP, _YELLOW_KEY, _FLOOR),
            (_RIGHT, _YELLOW_KEY, _WALL),
            (_LEFT, _YELLOW_KEY, _FLOOR),
            (_FORWARD, _YELLOW_KEY, _FLOOR),
            (_PUT_DOWN, _FLOOR, _YELLOW_KEY),
            (_PICK_UP, _YELLOW_KEY, _FLOOR),
        ):
            world.step(one, np.array([action]))
            (view,) = world.views(one)
            np.testing.assert_array_equal(view[-1, 3], own_cell)
            np.testing.assert_array_equal(view[-2, 3], cell_ahead)
        world.open(0, opening)
        np.testing.assert_array_equal(world.views(one)[0, -1, 3], _FLOOR)


class LevelsTest(parameterized.TestCase):
    @parameterized.parameters(*xland.levels())
    def test_no_level_has_rules_or_another_goal(self, level: str) -> None:
        environment, parameters = xminigrid.make(level)
        states = []

        def open_episode(key: jax.Array) -> jax.Array:
            states.append(environment.reset(parameters, key).state)
            return states[0].grid

        key = jax.random.PRNGKey(0)
        jax.eval_shape(open_episode, key)
        self.assertEqual(np.count_nonzero(states[0].rule_encoding), 0)
        goal = states[0].goal_encoding
        if isinstance(goal, jax.core.Tracer):
            # What an episode's key decides is no constant.
            goal = environment.reset(parameters, key).state.goal_encoding
        self.assertIn(int(goal[0]), _GOALS)

    def test_another_goal_is_refused(self) -> None:
        opening = next(openings.openings("MiniGrid-Empty-5x5", 1))
        opening = opening._replace(goal=np.array([3, 1, 1, 0, 0], np.uint8))
        world = worlds.Worlds([(5, 5)], _VIEW, [100])
        with self.assertRaisesRegex(base.EnvironmentConfigError, "of kind 3"):
            world.open(0, opening)


if __name__ == "__main__":
    absltest.main()
