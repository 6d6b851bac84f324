"""Tests of the suites of DeepMind Lab, on a stand-in that fails as it does."""

import importlib
import importlib.util
import subprocess
import sys
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting import config as config_lib
from kickstarting.environments import (
    base,
    dmlab,
    dmlab_actions,
    dmlab_levels,
    instructions,
    suites,
    workers,
)
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

    def _made_with(self, task: str, **fields) -> tuple[str, dict[str, str]]:
        """Returns the level and the settings that DeepMind Lab was given."""
        module = importlib.import_module("deepmind_lab")
        with mock.patch.object(module, "Lab", wraps=module.Lab) as lab:
            self._make(task, **fields)
        (level, _), keywords = lab.call_args
        return level, keywords["config"]

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

    def test_every_task_loads_for_training_and_for_the_test(self) -> None:
        lab = config_lib.LabConfig(level_cache="", dataset_path="dummy")
        for task in dmlab_levels.TASKS:
            for held_out, name in ((False, task.train), (True, task.test)):
                level, config = self._made_with(
                    f"dmlab30:{task.name}", held_out=held_out, lab=lab
                )
                self.assertEqual(level, f"contributed/dmlab30/{name}")
                self.assertEqual((config["width"], config["height"]), ("96", "72"))
                self.assertEqual("mixerSeed" in config, held_out)

    @parameterized.parameters(
        ("dmlab30:rooms_collect_good_objects_test", False),
        ("dmlab30:rooms_collect_good_objects_train", True),
        ("dmlab:contributed/dmlab30/rooms_collect_good_objects_test", False),
        (_TASK, True),
    )
    def test_what_is_held_out_is_asked_for(self, task: str, held_out: bool) -> None:
        _, config = self._made_with(task, held_out=held_out)
        self.assertEqual(config["allowHoldOutLevels"], "true")
        # 0x600D5EED, as IMPALA's test has it.
        self.assertEqual(config["mixerSeed"], "1611489005")

    def test_only_levels_with_images_are_given_some(self) -> None:
        folder = self.create_tempdir().full_path
        lab = config_lib.LabConfig(level_cache="", dataset_path=folder)
        for name, path in (
            ("arbitrary_visuomotor_mapping", folder),
            ("continuous_recognition", folder),
            ("visual_search", None),
        ):
            _, config = self._made_with(f"dmlab30:psychlab_{name}", lab=lab)
            self.assertEqual(config.get("datasetPath"), path)

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
            words = self._make(f"dmlab30:{level}").reset().observation[base.INSTRUCTION]
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

    @parameterized.parameters(
        ("dmlab:nowhere/to_be_found", "Level not found"),
        ("dmlab:contributed/dmlab30/rooms_watermase", "mean 'contributed.*_watermaze'"),
        ("dmlab30:rooms_watermase", "mean 'rooms_watermaze'"),
        ("dmlab30:psychlab_continuous_recognition", "--dataset_path"),
    )
    def test_levels_that_cannot_be_loaded(self, task: str, says: str) -> None:
        with self.assertRaisesRegex(base.EnvironmentConfigError, says) as caught:
            self._make(task)
        self.assertNotIn("\n", str(caught.exception))

    def test_other_inputs_are_refused(self) -> None:
        module = importlib.import_module("deepmind_lab")
        with (
            mock.patch.object(module, "_ACTIONS", module._ACTIONS[::-1]),
            self.assertRaisesRegex(base.EnvironmentConfigError, "played with CROUCH"),
        ):
            self._make()

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


class NotInstalledTest(absltest.TestCase):
    def test_one_line_names_level_source_and_substitute(self) -> None:
        with mock.patch.dict(sys.modules, {"deepmind_lab": None}):
            for refuse in (
                lambda: suites.check_installed(_TASK, _NO_CACHE),
                lambda: suites.make_environment(_settings(_TASK)),
            ):
                with self.assertRaisesRegex(
                    base.EnvironmentConfigError,
                    f"^{_TASK} needs .* its own repository.* doom suite runs .*$",
                ):
                    refuse()

    def test_only_workers_import_it(self) -> None:
        program = (
            "import sys\n"
            f"sys.path.insert(0, {lab_stand_in.FOLDER!r})\n"
            "from kickstarting import config\n"
            "from kickstarting.environments import base, suites\n"
            "lab = config.LabConfig(level_cache='')\n"
            f"suites.check_installed({_TASK!r}, lab)\n"
            f"suites.environment_spec({_TASK!r})\n"
            f"settings = base.TaskSettings({_TASK!r}, 1, lab=lab)\n"
            "batch = suites.make_batch([settings], 1, 1)\n"
            "batch.start()\n"
            "assert len(batch.wait(60.0))\n"
            "batch.close()\n"
            "print(sorted({'deepmind_lab', 'jax'} & set(sys.modules)))\n"
        )
        printed = subprocess.check_output([sys.executable, "-c", program], text=True)
        self.assertEqual(printed.strip(), "[]")


@absltest.skipIf(
    importlib.util.find_spec("deepmind_lab") is None, "DeepMind Lab is not installed"
)
class RealLabTest(absltest.TestCase):
    def test_plays(self) -> None:
        environment = suites.make_environment(_settings(_TASK))
        self.addCleanup(environment.close)
        timesteps = [environment.reset()] + [
            environment.step(_FORWARD) for _ in range(20)
        ]
        for timestep in timesteps:
            for name, spec in environment.observation_spec().items():
                spec.validate(timestep.observation[name])
        self.assertGreater(timesteps[-1].observation[base.PIXELS].std(), 1)


if __name__ == "__main__":
    absltest.main()
