"""Tests of the xland suite."""

import os
from unittest import mock

# Before JAX counts its devices.
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"

import jax
import numpy as np
from absl.testing import absltest

from kickstarting.environments import base
from kickstarting.environments.stepping import batch as stepping
from kickstarting.environments.xland import openings, xland

_FORWARD, _RIGHT, _LEFT = 0, 1, 2
_TO_THE_GOAL = (_FORWARD, _FORWARD, _RIGHT, _FORWARD, _FORWARD)
# Episodes of Empty-5x5 end at 100 steps.
_LIMIT = 100


def _batch(
    *levels: str, seed: int = 1, bootstrap_time_limit: bool = True
) -> xland.XLandBatch:
    settings = [
        base.TaskSettings(
            f"xland:{level}",
            seed + index,
            action_repeat=1,
            bootstrap_time_limit=bootstrap_time_limit,
        )
        for index, level in enumerate(levels)
    ]
    batch = xland.XLandBatch(settings, num_slots=2, unroll_length=3)
    batch.start()
    np.testing.assert_array_equal(batch.wait(60), np.arange(len(levels)))
    return batch


def _step(
    batch: xland.XLandBatch, actions: dict[int, int], slot: int = 0, position: int = 1
) -> None:
    indices = np.array(list(actions), np.int32)
    where = np.zeros_like(indices)
    batch.step(
        indices, np.array(list(actions.values())), where + slot, where + position
    )
    np.testing.assert_array_equal(batch.wait(60), np.sort(indices))


class XLandBatchTest(absltest.TestCase):
    def test_openings_are_drawn_on_the_device_that_is_named(self) -> None:
        _, other = jax.local_devices()
        drawn_on = []

        def draw(key: jax.Array) -> tuple[jax.Array, openings.Opening]:
            drawn_on.append(key.device)
            return program(key)

        program = openings._program("MiniGrid-Empty-5x5")
        settings = [base.TaskSettings("xland:MiniGrid-Empty-5x5", 1, action_repeat=1)]
        batch = xland.XLandBatch(settings, 2, 3, other)
        with mock.patch.object(openings, "_program", lambda level: draw):
            batch.start()
        self.assertEqual(drawn_on, [other])

    def test_levels_together_are_as_each_alone(self) -> None:
        levels = [
            f"MiniGrid-{level}"
            for level in (
                "Empty-8x8",
                "Empty-16x16",
                "EmptyRandom-8x8",
                "EmptyRandom-16x16",
                "FourRooms",
                "DoorKey-5x5",
                "DoorKey-6x6",
                "DoorKey-8x8",
            )
        ]
        batch = _batch(*levels)
        alone = [
            xland.make(base.TaskSettings(f"xland:{level}", 1 + index, action_repeat=1))
            for index, level in enumerate(levels)
        ]
        timesteps = [environment.reset() for environment in alone]
        random = np.random.default_rng(0)
        num_ended = 0
        for _ in range(1100):
            # Some of them step; the others stay where they are.
            (chosen,) = np.nonzero(random.random(len(levels)) < 0.8)
            actions = random.integers(len(xland.ACTION_NAMES), size=len(chosen))
            _step(batch, dict(zip(chosen.tolist(), actions.tolist(), strict=True)))
            for index, action in zip(chosen.tolist(), actions.tolist(), strict=True):
                timestep = alone[index].step(action)
                self.assertEqual(batch.ended[index], timestep.last())
                self.assertEqual(batch.reward[index], timestep.reward or 0)
                if timestep.last() and timestep.discount == 0:
                    self.assertEqual(batch.discount[index], 0)
                    timestep = alone[index].reset()
                else:
                    self.assertEqual(batch.discount[index], 1)
                self.assertEqual(batch.first[index], timestep.first())
                timesteps[index] = timestep
                num_ended += batch.ended[index]
            seen = [each.observation[base.PIXELS] for each in timesteps]
            np.testing.assert_array_equal(
                batch.pixels[chosen, 0, 1], np.stack(seen)[chosen]
            )
        self.assertGreater(num_ended, 10)

    def test_termination_already_shows_the_next_episode(self) -> None:
        batch = _batch("MiniGrid-Empty-5x5", "MiniGrid-Empty-5x5")
        self.assertTrue(batch.first.all())
        opening = batch.pixels[0, 0, 0].copy()
        self.assertGreater(opening.max(), 0)
        for action in _TO_THE_GOAL[:-1]:
            _step(batch, {0: action, 1: _RIGHT})
            self.assertFalse(batch.first.any() or batch.ended.any())
            np.testing.assert_array_equal(batch.discount, 1)
        self.assertFalse(np.array_equal(batch.pixels[0, 0, 1], opening))
        _step(batch, {0: _FORWARD, 1: _RIGHT}, slot=1, position=2)
        np.testing.assert_array_equal(batch.first, [True, False])
        np.testing.assert_array_equal(batch.ended, [True, False])
        np.testing.assert_array_equal(batch.discount, [0, 1])
        np.testing.assert_allclose(batch.reward, [1 - 0.9 * 5 / _LIMIT, 0])
        self.assertAlmostEqual(batch.episode_return[0], batch.reward[0])
        self.assertEqual(batch.episode_steps[0], 5)
        np.testing.assert_array_equal(batch.pixels[0, 1, 2], opening)
        _step(batch, {0: _FORWARD})
        self.assertFalse(batch.first[0])
        self.assertEqual(batch.episode_steps[0], 1)

    def test_time_limit_truncates_and_then_crosses(self) -> None:
        batch = _batch("MiniGrid-Empty-5x5", "MiniGrid-Empty-5x5")
        for _ in range(_LIMIT - 1):
            _step(batch, {0: _RIGHT})
        self.assertFalse(batch.ended[0])
        _step(batch, {0: _RIGHT})
        self.assertTrue(batch.ended[0])
        self.assertFalse(batch.first[0])
        self.assertEqual(batch.discount[0], 1)
        self.assertEqual(batch.episode_steps[0], _LIMIT)
        _step(batch, {0: _FORWARD})
        self.assertTrue(batch.first[0])
        self.assertFalse(batch.ended[0])
        self.assertEqual((batch.reward[0], batch.discount[0]), (0, 1))
        # The crossing belongs to no episode: five more steps make one.
        for action in _TO_THE_GOAL:
            _step(batch, {0: action})
        self.assertEqual(batch.episode_steps[0], 5)

    def test_a_time_limit_that_is_part_of_the_task_terminates(self) -> None:
        levels = ("MiniGrid-Empty-5x5",) * 2
        batch = _batch(*levels, bootstrap_time_limit=False)
        for _ in range(_LIMIT):
            self.assertEqual((batch.ended[0], batch.discount[0]), (False, 1))
            _step(batch, {0: _RIGHT})
        self.assertEqual((batch.ended[0], batch.first[0]), (True, True))
        self.assertEqual((batch.discount[0], batch.episode_steps[0]), (0, _LIMIT))

    def test_an_episode_is_left_where_the_next_one_is_asked_for(self) -> None:
        batch = _batch("MiniGrid-Empty-5x5", "MiniGrid-Empty-5x5")
        _step(batch, {0: _RIGHT, 1: _RIGHT})
        _step(batch, {0: stepping.OPEN_EPISODE, 1: _RIGHT})
        np.testing.assert_array_equal(batch.first, [True, False])
        self.assertFalse(batch.ended.any())
        self.assertEqual((batch.reward[0], batch.discount[0]), (0, 1))
        for action in _TO_THE_GOAL:
            _step(batch, {0: action})
        self.assertTrue(batch.ended[0])
        self.assertEqual(batch.episode_steps[0], 5)

    def test_steps_only_what_it_is_told_to(self) -> None:
        batch = _batch("MiniGrid-Empty-5x5", "MiniGrid-Empty-5x5")
        _step(batch, {1: _FORWARD}, slot=1, position=3)
        self.assertEqual(np.count_nonzero(batch.pixels[0, 1]), 0)
        self.assertEqual(np.count_nonzero(batch.pixels[1, 1, :3]), 0)
        # Environment 0 is still at its first observation, one step behind.
        _step(batch, {0: _FORWARD}, slot=1, position=3)
        np.testing.assert_array_equal(batch.pixels[0, 1, 3], batch.pixels[1, 1, 3])

    def test_two_steps_may_be_under_way(self) -> None:
        batch = _batch("MiniGrid-Empty-5x5", "MiniGrid-Empty-5x5")
        for index in (1, 0):
            array = np.array([index], np.int32)
            batch.step(array, array * 0 + _FORWARD, array * 0, array * 0 + 1)
        np.testing.assert_array_equal(batch.wait(60), [0, 1])
        self.assertEmpty(batch.wait(0.01))
        np.testing.assert_array_equal(batch.pixels[0, 0, 1], batch.pixels[1, 0, 1])

    def test_seeds_and_levels_decide_the_episodes(self) -> None:
        levels = ["MiniGrid-EmptyRandom-5x5", "MiniGrid-Empty-5x5"] * 2
        one, same, other = (_batch(*levels, seed=seed) for seed in (1, 1, 100))
        np.testing.assert_array_equal(one.pixels, same.pixels)
        self.assertFalse(np.array_equal(one.pixels[::2], other.pixels[::2]))
        np.testing.assert_array_equal(one.pixels[1::2], other.pixels[1::2])

    def test_close_drops_what_is_under_way(self) -> None:
        batch = _batch("MiniGrid-Empty-5x5", "MiniGrid-Empty-5x5")
        zero = np.zeros(1, np.int32)
        batch.step(zero, zero, zero, zero)
        batch.close()
        batch.close()
        self.assertEmpty(batch.wait(0.01))
        self.assertEqual(batch.counters(), {"worker_restarts": 0.0})


class XLandEnvironmentTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self._environment = xland.make(
            base.TaskSettings("xland:MiniGrid-Empty-5x5", 1, action_repeat=3)
        )

    def test_goal_terminates_and_ends_the_repetition(self) -> None:
        opening = self._environment.step(_FORWARD)
        self.assertTrue(opening.first())
        for name, spec in self._environment.observation_spec().items():
            spec.validate(opening.observation[name])
        # The wall stops the third step forward; three turns left make one to the right.
        for action in (_FORWARD, _LEFT):
            self.assertFalse(self._environment.step(action).last())
        timestep = self._environment.step(_FORWARD)
        self.assertTrue(timestep.last())
        self.assertEqual(timestep.discount, 0.0)
        num_frames = 3 + 3 + 2
        self.assertAlmostEqual(timestep.reward, 1 - 0.9 * num_frames / _LIMIT, places=5)
        self.assertTrue(self._environment.step(_FORWARD).first())

    def test_time_limit_truncates(self) -> None:
        self._environment.reset()
        num_steps = 1
        while not (timestep := self._environment.step(_RIGHT)).last():
            num_steps += 1
        self.assertEqual(num_steps, 34)
        self.assertEqual(timestep.discount, 1.0)
        self.assertTrue(self._environment.step(_RIGHT).first())


class LevelsTest(absltest.TestCase):
    def test_holds_the_minigrid_tasks(self) -> None:
        self.assertLen(xland.levels(), 23)
        self.assertIn("MiniGrid-DoorKey-8x8", xland.levels())

    def test_specs(self) -> None:
        self.assertEqual(
            xland.spec("MiniGrid-FourRooms", 1),
            base.EnvironmentSpec((7, 7, 2), 0, xland.ACTION_NAMES, 1),
        )
        self.assertEqual(xland.spec("MiniGrid-MemoryS8", 1).frame_shape, (3, 3, 2))

    def test_unknown_level_names_the_nearest(self) -> None:
        with self.assertRaisesRegex(
            base.EnvironmentConfigError, "mean 'MiniGrid-DoorKey-5x5'"
        ):
            xland.spec("MiniGrid-DorKey-5x5", 1)


if __name__ == "__main__":
    absltest.main()
