"""The `dmlab` suite: any level of DeepMind Lab, by its path, behind dm_env.

`deepmind_lab` is built from its own repository and is imported where an environment is
made, which is in a worker: it never releases the GIL.
"""

import importlib.util
import os
from typing import Any

import dm_env
import numpy as np

from kickstarting import config as config_lib
from kickstarting.environments import (
    base,
    dmlab_actions,
    dmlab_levels,
    instructions,
    level_cache,
)

# Holds the longest instructions of the language levels; sample-factory has it as well.
INSTRUCTION_LENGTH = 16
# Instead of a folder of images: the levels that show photographs make do without.
DUMMY_DATASET = "dummy"

# IMPALA's, so that levels of the test vary in ways that training never showed.
_TEST_MIXER_SEED = 0x600D5EED
_FRAME = "RGB_INTERLEAVED"
_INSTRUCTION = "INSTR"


class LabError(RuntimeError):
    """DeepMind Lab failed while it ran; the message names level, seed and reason."""


def levels() -> tuple[str, ...]:
    """Returns the paths of DMLab-30; those of other levels work as well."""
    names = dict.fromkeys(
        name for task in dmlab_levels.TASKS for name in (task.train, task.test)
    )
    return tuple(dmlab_levels.FOLDER + name for name in names)


def spec(level: str, action_repeat: int, action_set: str) -> base.EnvironmentSpec:
    """Returns the spec that all levels share.

    Raises:
      base.EnvironmentConfigError: action_repeat is below 1.
    """
    del level  # Whether there is such a level, DeepMind Lab alone knows.
    if action_repeat < 1:
        # DeepMind Lab would take it, and stand still.
        raise base.EnvironmentConfigError(
            f"action_repeat must be at least 1, not {action_repeat}"
        )
    return base.EnvironmentSpec(
        frame_shape=(base.FRAME_HEIGHT, base.FRAME_WIDTH, 3),
        instruction_length=INSTRUCTION_LENGTH,
        action_names=dmlab_actions.names(action_set),
        action_repeat=action_repeat,
    )


def check(task: str, lab: config_lib.LabConfig) -> None:
    """Checks, without importing DeepMind Lab, that a task can be played here.

    Raises:
      base.EnvironmentConfigError: DeepMind Lab is not installed, the images that the
        level shows are missing, or the level cache cannot be written.
    """
    if importlib.util.find_spec("deepmind_lab") is None:
        raise _not_installed(task)
    _dataset_path(task, lab)
    if lab.level_cache:
        level_cache.check_writable(lab.level_cache)


def make(settings: base.TaskSettings) -> "LabEnvironment":
    """Makes the environment of `dmlab:<path of the level>`; see LabEnvironment."""
    level = settings.task.partition(":")[2]
    is_test = settings.held_out or dmlab_levels.is_test(level)
    return LabEnvironment(settings, level, is_test)


class LabEnvironment(base.SpecifiedEnvironment):
    """One level of DeepMind Lab.

    Observations are {'pixels': uint8 [72, 96, 3] RGB, 'instruction': int32 [16]}; the
    instruction is all 0 where the level says nothing. Rewards are summed over the
    repeated action. Every episode ends by a termination, for DeepMind Lab does not say
    why one ended; it shows no frame after the end, so that LAST repeats the frame
    before.
    """

    def __init__(self, settings: base.TaskSettings, level: str, is_test: bool) -> None:
        """Loads the level.

        Args:
          settings: of the task.
          level: path of the level.
          is_test: plays what is held out from training.

        Raises:
          base.EnvironmentConfigError: there is no such level, DeepMind Lab is not
            installed, or something that it needs is missing.
        """
        lab = settings.lab
        super().__init__(spec(level, settings.action_repeat, lab.action_set))
        self._level = level
        self._inputs = dmlab_actions.inputs(lab.action_set)
        self._random = np.random.default_rng(settings.seed)
        self._seeds = (lab.first_level_seed, lab.last_level_seed)
        if is_test:
            # What was set is for training, whose maps are in the cache.
            self._seeds = (0, config_lib.MAX_LEVEL_SEED)
        self._cache = None
        if lab.level_cache:
            self._cache = level_cache.LevelCache(
                lab.level_cache, int(lab.level_cache_gigabytes * 1e9)
            )
        self._lab = _start(settings, level, is_test, self._cache)
        self._seed: int | None = None
        self._text = ""
        self._observation = {
            base.PIXELS: np.zeros(self.spec.frame_shape, np.uint8),
            base.INSTRUCTION: instructions.encode("", INSTRUCTION_LENGTH),
        }
        self._needs_reset = True

    def reset(self) -> dm_env.TimeStep:
        """Opens an episode, which may compile a map for a minute.

        Raises:
          LabError: DeepMind Lab failed.
        """
        first, last = self._seeds
        # It takes no integer but Python's.
        self._seed = int(self._random.integers(first, last + 1))
        if self._cache is not None:
            self._cache.origin = f"{self._level} seed {self._seed}"
        try:
            self._lab.reset(seed=self._seed)
            self._observe()
        except RuntimeError as error:
            raise self._failure("reset", error) from error
        self._needs_reset = False
        return dm_env.restart(self._observation)

    def step(self, action: int) -> dm_env.TimeStep:
        """Repeats an action; opens an episode where the last one has ended.

        Raises:
          LabError: DeepMind Lab failed.
        """
        if self._needs_reset:
            return self.reset()
        try:
            reward = self._lab.step(
                self._inputs[action], num_steps=self.spec.action_repeat
            )
            self._needs_reset = not self._lab.is_running()
            if self._needs_reset:
                return dm_env.termination(reward, self._observation)
            self._observe()
        except RuntimeError as error:
            raise self._failure("step", error) from error
        return dm_env.transition(reward, self._observation)

    def close(self) -> None:
        self._lab.close()

    def _observe(self) -> None:
        raw = self._lab.observations()
        words = self._observation[base.INSTRUCTION]
        if raw[_INSTRUCTION] != self._text:
            self._text = raw[_INSTRUCTION]
            words = instructions.encode(self._text, INSTRUCTION_LENGTH)
        self._observation = {base.PIXELS: raw[_FRAME], base.INSTRUCTION: words}

    def _failure(self, what: str, error: RuntimeError) -> LabError:
        reason = " ".join(str(error).split())
        return LabError(
            f"DeepMind Lab failed in a {what} of {self._level} with seed "
            f"{self._seed}: {reason}"
        )


def _start(
    settings: base.TaskSettings,
    level: str,
    is_test: bool,
    cache: level_cache.LevelCache | None,
) -> Any:
    try:
        import deepmind_lab
    except ImportError as error:
        raise _not_installed(settings.task) from error
    config = {"width": str(base.FRAME_WIDTH), "height": str(base.FRAME_HEIGHT)}
    dataset_path = _dataset_path(settings.task, settings.lab)
    if dataset_path:
        config["datasetPath"] = dataset_path
    if is_test:
        config["allowHoldOutLevels"] = "true"
        config["mixerSeed"] = str(_TEST_MIXER_SEED)
    try:
        lab = deepmind_lab.Lab(
            level, [_FRAME, _INSTRUCTION], config=config, level_cache=cache
        )
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        near = base.nearest_name(level, levels())
        raise base.EnvironmentConfigError(
            f"{settings.task} cannot be loaded: {reason}{near}"
        ) from error
    offered = tuple(each["name"] for each in lab.action_spec())
    if offered != dmlab_actions.INPUTS:
        # Of a wrong input it would say nothing.
        lab.close()
        raise base.EnvironmentConfigError(
            f"{settings.task} is played with {', '.join(offered)}, but the actions are "
            f"made for {', '.join(dmlab_actions.INPUTS)}"
        )
    return lab


def _dataset_path(task: str, lab: config_lib.LabConfig) -> str:
    """Returns where the images of the task's level are; empty where it shows none."""
    if not dmlab_levels.needs_dataset(task.partition(":")[2]):
        return ""
    if lab.dataset_path == DUMMY_DATASET:
        return DUMMY_DATASET
    path = os.path.expanduser(lab.dataset_path)
    if not os.path.isdir(path):
        missing = f"there is none at {path!r}" if path else "none is given"
        raise base.EnvironmentConfigError(
            f"{task} shows the images of a folder, and {missing}: name it by "
            f"--dataset_path, or {DUMMY_DATASET!r} to play without (docs/dmlab.md)"
        )
    return os.path.abspath(path)


def _not_installed(task: str) -> base.EnvironmentConfigError:
    return base.EnvironmentConfigError(
        f"{task} needs DeepMind Lab, which is not installed: it is built from its own "
        "repository, github.com/google-deepmind/lab (docs/dmlab.md); the doom suite "
        "runs without it"
    )
