"""Tests of the loading of levels of DeepMind Lab, on a stand-in that fails alike."""

import importlib
import os
import subprocess
import sys
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from kickstarting.environments.dmlab import dmlab
from kickstarting.environments.dmlab import levels as dmlab_levels
from kickstarting.environments.dmlab import probe as dmlab_probe
from kickstarting.environments.stepping import asking
from tests.environments import lab_stand_in

_TASK = "dmlab30:rooms_watermaze"
_NO_CACHE = config_lib.LabConfig(level_cache="")
_WITHOUT_IMAGES = config_lib.LabConfig(level_cache="", dataset_path="dummy")
# A package whose every level can be loaded.
_ANY_LAB = (
    "from kickstarting.environments.dmlab import actions as dmlab_actions\n"
    "class Lab:\n"
    "    def __init__(self, *arguments, **keywords): pass\n"
    "    def action_spec(self):\n"
    "        return [{'name': name} for name in dmlab_actions.INPUTS]\n"
    "    def close(self): return True\n"
)


class LoadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        lab_stand_in.install(self)
        self.module = importlib.import_module("deepmind_lab")

    def _make(self, task: str = _TASK, **fields) -> dmlab.LabEnvironment:
        settings = base.TaskSettings(task, 1, **{"lab": _NO_CACHE, **fields})
        environment = suites.make_environment(settings)
        self.addCleanup(environment.close)
        assert isinstance(environment, dmlab.LabEnvironment)
        return environment

    def _made_with(self, task: str, **fields) -> tuple[str, dict[str, str]]:
        """Returns the level and the settings that DeepMind Lab was given."""
        with mock.patch.object(self.module, "Lab", wraps=self.module.Lab) as lab:
            self._make(task, **fields)
        (level, _), keywords = lab.call_args
        return level, keywords["config"]

    def test_every_task_plays_for_training_and_for_the_test(self) -> None:
        for task in dmlab_levels.TASKS:
            for held_out, name in ((False, task.train), (True, task.test)):
                fields = {"held_out": held_out, "lab": _WITHOUT_IMAGES}
                level, config = self._made_with(f"dmlab30:{task.name}", **fields)
                self.assertEqual(level, f"contributed/dmlab30/{name}")
                self.assertEqual((config["width"], config["height"]), ("96", "72"))
                self.assertEqual("mixerSeed" in config, held_out)
                self.assertEqual("allowHoldOutLevels" in config, held_out)
                self._make(f"dmlab30:{task.name}", **fields).reset()

    @parameterized.parameters(
        ("dmlab30:rooms_collect_good_objects_test", False),
        ("dmlab30:rooms_collect_good_objects_train", True),
        ("dmlab:contributed/dmlab30/rooms_collect_good_objects_test", False),
        ("dmlab:lt_chasm", True),
        (_TASK, True),
    )
    def test_what_is_held_out_is_asked_for(self, task: str, held_out: bool) -> None:
        _, config = self._made_with(task, held_out=held_out)
        self.assertEqual(config["allowHoldOutLevels"], "true")
        # 0x600D5EED, as IMPALA's test has it.
        self.assertEqual(config["mixerSeed"], "1611489005")

    @parameterized.parameters(
        "lt_chasm", "tests/empty_room_test", "contributed/psychlab/harlow"
    )
    def test_levels_of_other_folders_are_trained_on(self, level: str) -> None:
        made_with, config = self._made_with(f"dmlab:{level}", lab=_WITHOUT_IMAGES)
        self.assertEqual(made_with, level)
        self.assertNotIn("mixerSeed", config)
        self._make(f"dmlab:{level}", lab=_WITHOUT_IMAGES).reset()

    @parameterized.parameters("tests/custom_actions_test", "tests/episode_time_test")
    def test_levels_without_instructions_or_with_more_inputs(self, level: str) -> None:
        environment = self._make(f"dmlab:{level}")
        words = environment.reset().observation[base.INSTRUCTION]
        self.assertEqual(np.count_nonzero(words), 0)
        rewards = [
            environment.step(action).reward
            for action in range(environment.spec.num_actions)
        ]
        # As everywhere else, the reward is what was walked forward.
        self.assertEqual(rewards, [4, -4, 0, 0, 0, 0, 4, 4, 0])

    def test_images_are_named_to_every_level(self) -> None:
        folder = self.create_tempdir()
        folder.create_file("0001.png")
        lab = config_lib.LabConfig(level_cache="", dataset_path=folder.full_path)
        for level in (
            "contributed/dmlab30/psychlab_arbitrary_visuomotor_mapping",
            "contributed/dmlab30/psychlab_continuous_recognition",
            "contributed/psychlab/harlow",
            "lt_chasm",
        ):
            _, config = self._made_with(f"dmlab:{level}", lab=lab)
            self.assertEqual(config["datasetPath"], folder.full_path)

    @parameterized.parameters(
        ("dmlab30:psychlab_continuous_recognition", "", "none is given"),
        ("dmlab:contributed/psychlab/harlow", "", "none is given"),
        ("dmlab30:psychlab_continuous_recognition", "/no/such", "none at '/no/such'"),
        ("dmlab30:psychlab_continuous_recognition", "/proc", "has no 0001.png"),
        (_TASK, "/no/such", "was given a folder of images.* none at '/no/such'"),
    )
    def test_missing_images(self, task: str, path: str, says: str) -> None:
        lab = config_lib.LabConfig(level_cache="", dataset_path=path)
        for refuse in (
            lambda: suites.check_installed(task, lab),
            lambda: self._make(task, lab=lab),
        ):
            with self.assertRaisesRegex(
                base.EnvironmentConfigError, f"{says}: name it by --dataset_path"
            ):
                refuse()

    def test_a_folder_of_images_below_home(self) -> None:
        home = self.create_tempdir()
        os.mkdir(os.path.join(home.full_path, "images"))
        lab = config_lib.LabConfig(level_cache="", dataset_path="~/images")
        with mock.patch.dict(os.environ, HOME=home.full_path):
            _, config = self._made_with(_TASK, lab=lab)
        self.assertEqual(config["datasetPath"], os.path.join(home.full_path, "images"))

    @parameterized.parameters(
        ("dmlab:nowhere/to_be_found", "Level not found"),
        ("dmlab:contributed/dmlab30/rooms_watermase", "mean 'contributed.*_watermaze'"),
        ("dmlab30:rooms_watermase", "mean 'rooms_watermaze'"),
    )
    def test_levels_that_cannot_be_loaded(self, task: str, says: str) -> None:
        for refuse in (
            lambda: suites.check_installed(task, _NO_CACHE),
            lambda: self._make(task),
        ):
            with self.assertRaisesRegex(base.EnvironmentConfigError, says) as caught:
                refuse()
            self.assertNotIn("\n", str(caught.exception))

    def test_what_can_be_loaded_is_tried_once(self) -> None:
        dmlab_probe._why_not.cache_clear()
        with mock.patch.object(asking, "ask", wraps=asking.ask) as ask:
            for task in ("rooms_watermaze", "rooms_collect_good_objects_test"):
                suites.check_installed(f"dmlab30:{task}", _NO_CACHE)
            suites.check_installed("dmlab:lt_chasm", _NO_CACHE)
        self.assertEqual(ask.call_count, 2)

    @parameterized.parameters(RuntimeError, ValueError)
    def test_whatever_else_is_wrong_is_one_line(self, error: type[Exception]) -> None:
        with (
            mock.patch.object(self.module, "Lab", side_effect=error("no\n  renderer")),
            self.assertRaisesRegex(
                base.EnvironmentConfigError,
                f"^{_TASK} cannot be loaded: no renderer$",
            ),
        ):
            self._make()

    def test_inputs_are_found_by_their_names(self) -> None:
        turned = self.module._ACTIONS[1:] + self.module._ACTIONS[:1]
        with (
            mock.patch.object(self.module, "_ACTIONS", turned),
            # The stand-in rewards what is given to this one.
            mock.patch.object(self.module, "_FORWARD", 2),
        ):
            environment = self._make()
            environment.reset()
            self.assertEqual(
                [environment.step(action).reward for action in (0, 5)], [4, 0]
            )

    def test_levels_that_lack_an_input_are_refused(self) -> None:
        with (
            mock.patch.object(self.module, "_ACTIONS", self.module._ACTIONS[:-1]),
            self.assertRaisesRegex(
                base.EnvironmentConfigError, "has no input CROUCH, which"
            ),
        ):
            self._make()


class InstalledTest(absltest.TestCase):
    def _install(self, init: str) -> None:
        """Installs a package that is laid out as DeepMind Lab's own."""
        folder = self.create_tempdir()
        folder.create_file("deepmind_lab/__init__.py", init)
        for level in ("lt_chasm", "tests/empty_room_test"):
            folder.create_file(f"deepmind_lab/baselab/game_scripts/levels/{level}.lua")
        for patch in (
            mock.patch.object(sys, "path", [folder.full_path, *sys.path]),
            mock.patch.dict(sys.modules),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def test_levels_are_looked_for_among_those_of_the_package(self) -> None:
        self._install(_ANY_LAB)
        for level in ("lt_chasm", "tests/empty_room_test", "/my/own/level.lua"):
            suites.check_installed(f"dmlab:{level}", _NO_CACHE)
        with self.assertRaisesRegex(
            base.EnvironmentConfigError,
            r"^dmlab has no level 'lt_chasms' \(did you mean 'lt_chasm'\?\)$",
        ):
            suites.check_installed("dmlab:lt_chasms", _NO_CACHE)

    def test_a_package_that_is_broken_is_not_called_missing(self) -> None:
        self._install("import no_such_library")
        settings = base.TaskSettings(_TASK, 1, lab=_NO_CACHE)
        for refuse in (
            lambda: suites.check_installed(_TASK, _NO_CACHE),
            lambda: suites.make_environment(settings),
        ):
            with self.assertRaisesRegex(
                base.EnvironmentConfigError,
                f"^{_TASK} needs DeepMind Lab, .* cannot be imported: No module named "
                "'no_such_library'",
            ):
                refuse()

    def test_a_package_that_ends_its_process_is_told_of(self) -> None:
        self._install("import os; os.write(2, b'no\\nscreen\\n'); os._exit(3)")
        with self.assertRaisesRegex(
            base.EnvironmentConfigError,
            f"^{_TASK} cannot be loaded: .* ended its process with status 3: screen$",
        ):
            suites.check_installed(_TASK, _NO_CACHE)


class NotInstalledTest(absltest.TestCase):
    def test_one_line_names_level_source_and_substitute(self) -> None:
        settings = base.TaskSettings(_TASK, 1, lab=_NO_CACHE)
        with mock.patch.dict(sys.modules, {"deepmind_lab": None}):
            for refuse in (
                lambda: suites.check_installed(_TASK, _NO_CACHE),
                lambda: suites.make_environment(settings),
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
            "from kickstarting.config import run as config\n"
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


if __name__ == "__main__":
    absltest.main()
