"""The `dmlab` suite: any level of DeepMind Lab, by its path, behind dm_env.

`deepmind_lab` is built from its own repository and is imported where an environment is
made, which is in a worker: it never releases the GIL.
"""

import dm_env
import numpy as np

from kickstarting.config import run as config_lib
from kickstarting.environments import base
from kickstarting.environments.dmlab import actions as dmlab_actions
from kickstarting.environments.dmlab import level_cache
from kickstarting.environments.dmlab import levels as dmlab_levels
from kickstarting.environments.dmlab import load as dmlab_load
from kickstarting.environments.gym import instructions

# Holds the longest instructions of the language levels; sample-factory has it as well.
INSTRUCTION_LENGTH = 16


class LabError(RuntimeError):
    """DeepMind Lab failed while it ran; the message names level, seed and reason."""


# What every suite offers.
check = dmlab_load.check
levels = dmlab_load.levels


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
          base.EnvironmentConfigError: as dmlab_load.load.
        """
        lab = settings.lab
        super().__init__(spec(level, settings.action_repeat, lab.action_set))
        self._level = level
        self._random = np.random.default_rng(settings.seed)
        self._seeds = (lab.first_level_seed, lab.last_level_seed)
        if settings.held_out:
            # What was set is for training, whose maps are in the cache.
            self._seeds = (0, config_lib.MAX_LEVEL_SEED)
        self._cache = None
        if lab.level_cache:
            self._cache = level_cache.LevelCache(
                lab.level_cache, int(lab.level_cache_gigabytes * 1e9)
            )
        self._lab = dmlab_load.load(settings, level, is_test, self._cache)
        offered = [each["name"] for each in self._lab.action_spec()]
        self._inputs = dmlab_actions.inputs(lab.action_set, offered)
        self._seed: int | None = None
        self._text = ""
        self._observation = {
            base.PIXELS: np.zeros(self.spec.frame_shape, np.uint8),
            base.INSTRUCTION: instructions.encode("", INSTRUCTION_LENGTH),
        }
        self._needs_reset = True

    @property
    def instruction(self) -> str:
        """What the level says now."""
        return self._text

    def reset(self) -> dm_env.TimeStep:
        """Opens an episode, which may compile a map for a minute.

        Raises:
          LabError: DeepMind Lab failed.
        """
        first, last = self._seeds
        # It takes no integer but Python's.
        self._seed = int(self._random.integers(first, last + 1))
        origin = f"{self._level} seed {self._seed}"
        if self._cache is not None:
            self._cache.origin = origin
        try:
            self._lab.reset(seed=self._seed)
            self._observe()
        except (RuntimeError, ValueError) as error:
            raise self._failure("reset", error) from error
        if self._cache is not None:
            # Language levels open further maps as the agent goes.
            self._cache.origin = f"{origin}, in a step"
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
        except (RuntimeError, ValueError) as error:
            # A level's own failure in a step comes as a ValueError.
            raise self._failure("step", error) from error
        return dm_env.transition(reward, self._observation)

    def close(self) -> None:
        self._lab.close()

    def _observe(self) -> None:
        raw = self._lab.observations()
        words = self._observation[base.INSTRUCTION]
        text = raw.get(dmlab_load.INSTRUCTION, "")
        if text != self._text:
            self._text = text
            words = instructions.encode(text, INSTRUCTION_LENGTH, self._level)
        self._observation = {
            base.PIXELS: raw[dmlab_load.FRAME],
            base.INSTRUCTION: words,
        }

    def _failure(self, what: str, error: Exception) -> LabError:
        reason = " ".join(str(error).split())
        return LabError(
            f"DeepMind Lab failed in a {what} of {self._level} with seed "
            f"{self._seed}: {reason}"
        )
