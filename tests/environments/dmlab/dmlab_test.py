"""Tests of the suites of DeepMind Lab, on a stand-in that fails as it does."""

import os
from unittest import mock

import hypothesis
import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import strategies as st

from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from kickstarting.environments.dmlab import actions as dmlab_actions
from kickstarting.environments.dmlab import dmlab, level_cache
from kickstarting.environments.gym import instructions
from kickstarting.environments.stepping import workers
from tests.environments import lab_stand_in

_TASK = "dmlab30:rooms_watermaze"
_FORWARD = dmlab_actions.names("default").index("forward")
_NO_CACHE = config_lib.LabConfig(level_cache="")


def _settings(task: str, seed: int = 1, **fields) -> base.TaskSettings:
    return base.TaskSettings(task, seed, **{"lab": _NO_CACHE, **fields})


class DmlabTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        lab_stand_in.install(self, STAND_IN_FRAMES="18")

    def _make(self, task: str = _TASK, **fields) -> dmlab.LabEnvironment:
        environment = suites.make_environment(_settings(task, **fields))
        self.addCleanup(environment.close)
        assert isinstance(environment, dmlab.LabEnvironment)
        return environment

    @parameterized.product(
        task=(_TASK, "dmlab:contributed/dmlab30/rooms_watermaze"),
        action_set=config_lib.LAB_ACTION_SETS,
    )
    def test_observations_and_actions_fit_their_specs(self, task, action_set) -> None:
        lab = config_lib.LabConfig(action_set=action_set, level_cache="")
        environment = self._make(task, lab=lab)
        self.assertEqual(environment.spec, suites.environment_spec(task, 4, action_set))
        self.assertEqual(environment.spec.frame_shape, (72, 96, 3))
        timesteps = [environment.reset()]
        for action in range(environment.spec.num_actions):
            timesteps.append(environment.step(np.int32(action)))
        for timestep in timesteps:
            for name, spec in environment.observation_spec().items():
                spec.validate(timestep.observation[name])

    def test_sums_rewards_and_repeats_the_last_frame(self) -> None:
        environment = self._make()
        self.assertTrue(environment.step(_FORWARD).first())
        timesteps = [environment.step(_FORWARD) for _ in range(5)]
        self.assertEqual([each.reward for each in timesteps], [4, 4, 4, 4, 2])
        last = timesteps[-1]
        self.assertTrue(last.last())
        self.assertEqual(last.discount, 0.0)
        np.testing.assert_array_equal(
            last.observation[base.PIXELS], timesteps[-2].observation[base.PIXELS]
        )
        self.assertFalse(
            np.array_equal(
                timesteps[0].observation[base.PIXELS],
                timesteps[1].observation[base.PIXELS],
            )
        )
        self.assertTrue(environment.step(_FORWARD).first())

    def test_instructions_are_hashed_and_may_be_empty(self) -> None:
        for level, text in (
            ("language_select_located_object", "Find the red ball"),
            ("rooms_watermaze", ""),
        ):
            environment = self._make(f"dmlab30:{level}")
            words = environment.reset().observation[base.INSTRUCTION]
            self.assertEqual(environment.instruction, text)
            np.testing.assert_array_equal(
                words, instructions.encode(text, dmlab.INSTRUCTION_LENGTH)
            )
            self.assertEqual(np.count_nonzero(words), len(text.split()))

    def _level_seeds(self, num_episodes: int, **fields) -> list[int]:
        environment = self._make(**fields)
        with mock.patch.object(
            environment._lab, "reset", wraps=environment._lab.reset
        ) as reset:
            for _ in range(num_episodes):
                environment.reset()
        return [call.kwargs["seed"] for call in reset.call_args_list]

    def test_seeds_decide_the_episodes(self) -> None:
        seeds = self._level_seeds(3, seed=5)
        self.assertLen(set(seeds), 3)
        self.assertEqual(seeds, self._level_seeds(3, seed=5))
        self.assertNotEqual(seeds, self._level_seeds(3, seed=6))

    def test_training_can_be_kept_to_cached_maps(self) -> None:
        lab = config_lib.LabConfig(
            level_cache="", first_level_seed=7, last_level_seed=9
        )
        self.assertEqual(set(self._level_seeds(40, lab=lab)), {7, 8, 9})
        held_out = self._level_seeds(5, lab=lab, held_out=True)
        self.assertGreater(min(held_out), 9)

    def test_a_map_is_compiled_once(self) -> None:
        folder = self.create_tempdir().full_path
        lab = config_lib.LabConfig(level_cache=folder)
        with mock.patch("time.sleep") as compile_map:
            for _ in range(2):
                self._make(lab=lab).reset()
        self.assertEqual(compile_map.call_count, 1)

    @mock.patch.dict(os.environ, {"STAND_IN_MAP_AT": "6"})
    def test_a_map_that_is_opened_in_a_step_is_told_of(self) -> None:
        folder = self.create_tempdir().full_path
        environment = self._make(lab=config_lib.LabConfig(level_cache=folder))
        environment.reset()
        for _ in range(2):
            environment.step(_FORWARD)
        first, second = (each.origin for each in level_cache.read_ledger(folder))
        self.assertEqual(second, f"{first}, in a step")

    def test_slow_resets_hold_up_nobody_else(self) -> None:
        lab = config_lib.LabConfig(
            level_cache=self.create_tempdir().full_path,
            first_level_seed=1,
            last_level_seed=1,
        )
        self._make(lab=lab).reset()
        tasks = ("dmlab30:rooms_keys_doors_puzzle", _TASK, _TASK)
        settings = [_settings(task, lab=lab) for task in tasks]
        # Its map is not in the cache and takes longer than the test.
        lab_stand_in.install(self, STAND_IN_COMPILE_SECONDS="600")
        batch = suites.make_batch(settings, 1, 1)
        self.assertIsInstance(batch, workers.WorkerBatch)
        self.addCleanup(batch.close)
        batch.start()
        steps = np.zeros(3, np.int64)
        # Some twenty episodes each.
        while steps[1:].min() < 100:
            ready = batch.wait(60.0)
            self.assertNotEmpty(ready)
            steps[ready] += 1
            batch.step(ready, ready * 0, ready * 0, ready * 0)
        self.assertEqual(steps[0], 0)
        self.assertEqual(batch.counters(), {"worker_restarts": 0.0})

    def test_no_frames_for_an_action_are_refused(self) -> None:
        with self.assertRaisesRegex(base.EnvironmentConfigError, "at least 1"):
            self._make(action_repeat=0)

    def test_failures_name_level_and_seed(self) -> None:
        environment = self._make()
        environment.reset()
        environment._lab.close()
        with self.assertRaisesRegex(
            dmlab.LabError, "in a step of contributed/dmlab30/rooms_watermaze with seed"
        ):
            environment.step(_FORWARD)
        with self.assertRaisesRegex(dmlab.LabError, "in a reset of contributed"):
            environment.reset()
        environment.close()

    def test_a_level_that_fails_in_a_step_is_a_failure_of_the_lab(self) -> None:
        environment = self._make()
        environment.reset()
        failure = ValueError('Failed to advance environment "no\n map"')
        with (
            mock.patch.object(environment._lab, "step", side_effect=failure),
            self.assertRaisesRegex(dmlab.LabError, 'Failed to advance .*"no map"$'),
        ):
            environment.step(_FORWARD)

    @hypothesis.settings(deadline=None)
    @hypothesis.given(st.integers(0, config_lib.MAX_LEVEL_SEED))
    def test_every_level_seed_is_taken(self, seed: int) -> None:
        lab = config_lib.LabConfig(
            level_cache="", first_level_seed=seed, last_level_seed=seed
        )
        environment = suites.make_environment(_settings(_TASK, lab=lab))
        self.assertTrue(environment.reset().first())

    def test_a_dead_level_is_replaced_and_counted(self) -> None:
        lab_stand_in.install(self, STAND_IN_FRAMES="18", STAND_IN_FAIL_AT="8")
        batch = suites.make_batch([_settings(_TASK)], 1, 1)
        self.addCleanup(batch.close)
        batch.start()
        for _ in range(4):
            ready = batch.wait(60.0)
            self.assertLen(ready, 1)
            batch.step(ready, ready * 0, ready * 0, ready * 0)
        self.assertGreaterEqual(batch.counters()["worker_restarts"], 1)

    def test_worker_tells_what_is_missing(self) -> None:
        batch = suites.make_batch([_settings("dmlab:nowhere")], 1, 1)
        self.addCleanup(batch.close)
        batch.start()
        with self.assertRaisesRegex(
            base.EnvironmentConfigError, "dmlab:nowhere cannot be loaded"
        ):
            batch.wait(60.0)


class ActionsTest(parameterized.TestCase):
    @parameterized.parameters(("default", 9), ("extended", 15))
    def test_each_action_moves_something_else(self, action_set: str, num: int) -> None:
        names, inputs = (
            dmlab_actions.names(action_set),
            dmlab_actions.inputs(action_set),
        )
        self.assertEqual((len(set(names)), inputs.shape), (num, (num, 7)))
        self.assertEqual(inputs.dtype, np.intc)
        self.assertLen(np.unique(inputs, axis=0), num)
        self.assertTrue(np.any(inputs, axis=1).all())
        self.assertEqual(dmlab_actions.set_of(names), action_set)

    def test_impalas_actions(self) -> None:
        np.testing.assert_array_equal(
            dmlab_actions.inputs("default"),
            [
                [0, 0, 0, 1, 0, 0, 0],
                [0, 0, 0, -1, 0, 0, 0],
                [0, 0, -1, 0, 0, 0, 0],
                [0, 0, 1, 0, 0, 0, 0],
                [-20, 0, 0, 0, 0, 0, 0],
                [20, 0, 0, 0, 0, 0, 0],
                [-20, 0, 0, 1, 0, 0, 0],
                [20, 0, 0, 1, 0, 0, 0],
                [0, 0, 0, 0, 1, 0, 0],
            ],
        )

    def test_doom_has_the_same_names(self) -> None:
        doom = suites.environment_spec("doom:basic")
        self.assertEqual(dmlab_actions.names("default"), doom.action_names)


@absltest.skipUnless(lab_stand_in.REAL_IS_INSTALLED, "DeepMind Lab is not installed")
class RealLabTest(parameterized.TestCase):
    @parameterized.parameters(
        _TASK,
        "dmlab30:language_select_described_object",
        "dmlab30:psychlab_continuous_recognition",
        "dmlab:lt_chasm",
        "dmlab:tests/empty_room_test",
    )
    def test_plays(self, task: str) -> None:
        lab = config_lib.LabConfig(level_cache="", dataset_path="dummy")
        environment = suites.make_environment(_settings(task, lab=lab))
        self.addCleanup(environment.close)
        timesteps = [environment.reset()] + [
            environment.step(_FORWARD) for _ in range(20)
        ]
        for timestep in timesteps:
            for name, spec in environment.observation_spec().items():
                spec.validate(timestep.observation[name])
        self.assertGreater(timesteps[-1].observation[base.PIXELS].std(), 1)

    def test_a_seed_finds_its_map_in_the_cache(self) -> None:
        lab = config_lib.LabConfig(
            level_cache=self.create_tempdir().full_path,
            first_level_seed=1,
            last_level_seed=1,
        )
        for _ in range(2):
            environment = suites.make_environment(
                _settings("dmlab30:explore_goal_locations_small", lab=lab)
            )
            self.addCleanup(environment.close)
            environment.reset()
        self.assertEqual(level_cache.size(lab.level_cache)[0], 1)


if __name__ == "__main__":
    absltest.main()
