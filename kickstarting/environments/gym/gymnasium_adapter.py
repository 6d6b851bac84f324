"""The `gym` suite: Gymnasium environments with images, grids and missions.

Any registered id with Discrete actions will do whose observation is an image, or a dict
with an 'image' as MiniGrid's and BabyAI's. Their 'mission' becomes the instruction;
what else a dict holds, such as their 'direction', is left out. Grid worlds want
action_repeat 1: repeating `forward` skips the cells between.

Where an environment says which actions it takes, as Gymnasium's own do, by an
'action_mask' [A] in a step's info or in the dict that it observes, no others are
available.
"""

import functools
from typing import Any

import dm_env
import numpy as np
from absl import logging

from kickstarting.environments import base
from kickstarting.environments.gym import instructions, registry, spaces

# Holds MiniGrid's missions and most of BabyAI's; the longest (BossLevel) are cut.
MISSION_LENGTH = 24


def levels() -> tuple[str, ...]:
    """Returns the ids of MiniGrid and BabyAI; other registered ids work as well."""
    return tuple(
        sorted(
            name
            for name in registry.gymnasium().registry
            if name.startswith(("MiniGrid-", "BabyAI-"))
        )
    )


def spec(level: str, action_repeat: int) -> base.EnvironmentSpec:
    """Returns the spec of `level`; constructs it once to look at its spaces.

    Raises:
      base.EnvironmentConfigError: the id is unknown, or its spaces do not fit.
    """
    return _spec(level, action_repeat)


@functools.cache
def _spec(level: str, action_repeat: int) -> base.EnvironmentSpec:
    environment = registry.make(level)
    try:
        return _read(environment, level, action_repeat)[0]
    finally:
        environment.close()


class GymnasiumEnvironment(base.SpecifiedEnvironment):
    """One Gymnasium environment.

    Observations are {'pixels': uint8 [H, W, C], 'instruction': int32 [L]}: pictures are
    resized to [72, 96, 3], grids keep their shape (spaces.py tells them apart); L is 24
    where there is a mission and 0 elsewhere. Rewards are summed over the repeated
    action, which is repeated only as long as it is available. `truncated` gives a LAST
    step with discount 1, `terminated` one with discount 0.

    An observation that is not as its space says, and a reward that is not a number of
    float32, raise a base.EnvironmentConfigError.
    """

    def __init__(self, settings: base.TaskSettings) -> None:
        """Makes the environment.

        Raises:
          base.EnvironmentConfigError: the id is unknown, or its spaces do not fit.
        """
        level = settings.task.partition(":")[2]
        self._environment = registry.make(level, settings.rendered)
        self._renders = self._environment.render_mode == "rgb_array"
        spec, self._observed = _read(self._environment, level, settings.action_repeat)
        super().__init__(spec)
        # Gymnasium draws all episodes from the seed of the first reset.
        self._seed: int | None = settings.seed
        self._mission = ""
        self._words = instructions.encode("", self.spec.instruction_length)
        self._available_actions = super().available_actions
        self._needs_reset = True

    @property
    def available_actions(self) -> np.ndarray:
        """What the latest step's mask says, bool [A]; all where there is none."""
        return self._available_actions

    @property
    def instruction(self) -> str:
        """The latest mission."""
        return self._mission

    def reset(self) -> dm_env.TimeStep:
        observation, information = self._environment.reset(seed=self._seed)
        self._seed = None
        self._needs_reset = False
        self._available_actions = self._mask(observation, information)
        return dm_env.restart(self._observation(observation))

    def step(self, action: int) -> dm_env.TimeStep:
        if self._needs_reset:
            return self.reset()
        total = 0.0
        for _ in range(self.spec.action_repeat):
            raw, reward, terminated, truncated, information = self._environment.step(
                int(action)
            )
            total += self._reward(reward)
            self._needs_reset = terminated or truncated
            self._available_actions = self._mask(raw, information)
            if self._needs_reset or not self._available_actions[action]:
                break
        observation = self._observation(raw)
        if self._needs_reset and not self._available_actions.any():
            # Nothing can be done any more, and nothing will be.
            self._available_actions = super().available_actions
        if terminated:
            return dm_env.termination(total, observation)
        if truncated:
            return dm_env.truncation(total, observation, discount=1.0)
        return dm_env.transition(total, observation)

    def picture(self, pixels: np.ndarray) -> np.ndarray:
        if not self._observed.minigrid:
            return pixels
        # Workers draw nothing.
        from kickstarting.environments.gym import grid_picture

        drawn = grid_picture.draw(pixels, base.tile_size(pixels.shape))
        return pixels if drawn is None else drawn

    def render(self) -> np.ndarray | None:
        if not self._renders:
            return None
        try:
            picture = np.asarray(self._environment.render())
        except Exception as error:  # noqa: BLE001 - a video may do without
            self._renders = False
            logging.warning(
                "gym:%s cannot be rendered: %r", self._observed.level, error
            )
            return None
        is_rgb = picture.dtype == np.uint8 and picture.shape[2:] == (3,)
        return picture if is_rgb else None

    def close(self) -> None:
        self._environment.close()

    def _reward(self, given: Any) -> float:
        try:
            return base.checked_reward(given)
        except ValueError as error:
            raise base.EnvironmentConfigError(
                f"gym:{self._observed.level}: {error}"
            ) from error

    def _mask(self, raw: Any, information: dict[str, Any]) -> np.ndarray:
        given = information.get(spaces.ACTION_MASK)
        if given is None and isinstance(raw, dict):
            given = raw.get(spaces.ACTION_MASK)
        if given is None:
            return super().available_actions
        mask = np.array(given, bool)
        if mask.shape != (self.spec.num_actions,):
            raise base.EnvironmentConfigError(
                f"gym:{self._observed.level} gave an action mask {mask.shape} for "
                f"{self.spec.num_actions} actions"
            )
        return mask

    def _observation(self, raw: Any) -> dict[str, np.ndarray]:
        frame = self._observed.frame(raw)
        mission = self._observed.mission_of(raw)
        if mission != self._mission:
            self._mission = mission
            self._words = instructions.encode(
                mission,
                self.spec.instruction_length,
                f"gym:{self._observed.level}",
            )
        return {base.PIXELS: frame, base.INSTRUCTION: self._words}


make = GymnasiumEnvironment


def _read(
    environment: Any, level: str, action_repeat: int
) -> tuple[base.EnvironmentSpec, spaces.Observed]:
    discrete = registry.gymnasium().spaces.Discrete
    actions = environment.action_space
    if not isinstance(actions, discrete) or actions.start != 0:
        raise base.EnvironmentConfigError(
            f"gym:{level} has actions {actions}, but only Discrete ones from 0 are "
            "supported"
        )
    observed = spaces.read(level, environment)
    spec = base.EnvironmentSpec(
        frame_shape=observed.frame_shape,
        instruction_length=MISSION_LENGTH if observed.mission else 0,
        action_names=_action_names(environment, int(actions.n)),
        action_repeat=action_repeat,
        unused=observed.unused,
    )
    return spec, observed


def _action_names(environment: Any, num_actions: int) -> tuple[str, ...]:
    members = getattr(environment.unwrapped, "actions", None)
    names = tuple(getattr(members, "__members__", ()))
    if not names and hasattr(environment.unwrapped, "get_action_meanings"):
        names = tuple(environment.unwrapped.get_action_meanings())
    if len(names) == num_actions:
        return names
    return tuple(f"action_{index}" for index in range(num_actions))
