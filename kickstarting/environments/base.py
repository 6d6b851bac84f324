"""What every environment suite shares: specs of observations, errors, time steps.

This module and everything it imports must stay light: it is loaded by each of the
environment worker processes, which are many and must not import JAX.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import dm_env
import numpy as np
from dm_env import specs

from kickstarting.config import run as config_lib

PIXELS = "pixels"
INSTRUCTION = "instruction"

# IMPALA's frame size and action repeat (Espeholt et al. 2018, table D.1).
FRAME_HEIGHT = 72
FRAME_WIDTH = 96
ACTION_REPEAT = 4

# Frames of up to so many cells a side are grids of category codes, larger ones are
# pictures. MiniGrid's largest world is 25x25.
MAX_GRID_SIZE = 25
# Drawings of them are about so many pixels high.
_GRID_PICTURE_SIZE = 360

# Characters of one that is refused.
_TOLD_OF_A_REWARD = 80
_LARGEST_REWARD = float(np.finfo(np.float32).max)


class EnvironmentConfigError(ValueError):
    """An environment that cannot be made as asked; its message is one line."""


@dataclasses.dataclass(frozen=True)
class EnvironmentSpec:
    """What an agent must know of a task before it can act in it.

    Attributes:
      frame_shape: shape [H, W, C] of the uint8 pixels or grid.
      instruction_length: number of int32 word ids L; 0 where there is no language.
      action_names: the discrete action set, in order.
      action_repeat: environment frames for each agent step.
      unused: what else the environment shows, which no agent sees; specs that differ
        in this alone are equal.
    """

    frame_shape: tuple[int, int, int]
    instruction_length: int
    action_names: tuple[str, ...]
    action_repeat: int
    unused: tuple[str, ...] = dataclasses.field(default=(), compare=False)

    @property
    def num_actions(self) -> int:
        """The size A of the action set."""
        return len(self.action_names)


@dataclasses.dataclass(frozen=True)
class ReferenceScore:
    """Returns that normalise a score: 0 is `random`, 100 is `reference`.

    Attributes:
      random: mean raw return of the uniformly random policy.
      reference: mean raw return that counts as 100.
      source: where both numbers come from.
    """

    random: float
    reference: float
    source: str


@dataclasses.dataclass(frozen=True)
class TaskSettings:
    """Everything a worker needs to build one environment; JSON-serialisable.

    Attributes:
      task: `suite:level`.
      seed: seeds the environment's own random numbers.
      action_repeat: environment frames for each agent step.
      held_out: plays what is kept from training, where the suite has such a thing.
      bootstrap_time_limit: False has an episode that its time limit ends be over as one
        is that ends otherwise.
      rendered: has the environment draw itself for SpecifiedEnvironment.render, if it
        can.
      waits_at_ends: hands an episode's end over before the next one is opened, which
        then the next step does; False opens it within the step that ended the other.
      lab: for the suites of DeepMind Lab.
      deadline_seconds: within which it must be made, and give each of its time steps.
    """

    task: str
    seed: int
    action_repeat: int = ACTION_REPEAT
    held_out: bool = False
    bootstrap_time_limit: bool = True
    rendered: bool = False
    waits_at_ends: bool = False
    lab: config_lib.LabConfig = config_lib.LabConfig()
    deadline_seconds: float = config_lib.ENVIRONMENT_DEADLINE_SECONDS

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "TaskSettings":
        """Returns the settings of which dataclasses.asdict made `fields`."""
        return cls(**{**fields, "lab": config_lib.LabConfig(**fields["lab"])})


def observation_spec(spec: EnvironmentSpec) -> Mapping[str, specs.Array]:
    """Returns the dm_env specs of the observation that `spec` describes."""
    return {
        PIXELS: specs.BoundedArray(
            spec.frame_shape, np.uint8, minimum=0, maximum=255, name=PIXELS
        ),
        INSTRUCTION: specs.BoundedArray(
            (spec.instruction_length,),
            np.int32,
            minimum=0,
            maximum=np.iinfo(np.int32).max,
            name=INSTRUCTION,
        ),
    }


def action_spec(spec: EnvironmentSpec) -> specs.DiscreteArray:
    """Returns the dm_env spec of an action index."""
    return specs.DiscreteArray(spec.num_actions, dtype=np.int32, name="action")


class SpecifiedEnvironment(dm_env.Environment):
    """A dm_env.Environment that carries its EnvironmentSpec."""

    def __init__(self, spec: EnvironmentSpec) -> None:
        self.spec = spec

    @property
    def available_actions(self) -> np.ndarray:
        """Which actions the latest time step leaves open, bool [A]: at least one.

        All of them, unless a suite knows better.
        """
        return np.ones(self.spec.num_actions, bool)

    @property
    def instruction(self) -> str:
        """What the latest time step says, before it is cut into word ids; or ''."""
        return ""

    def picture(self, pixels: np.ndarray) -> np.ndarray:
        """Returns what a person is shown of a frame uint8 [H, W, C] that it gave.

        Returns:
          uint8 [H', W', 3] RGB, or the frame itself where the suite does not know how
          to draw it.
        """
        return pixels

    def render(self) -> np.ndarray | None:
        """Returns the environment's own picture of its state, uint8 [H, W, 3] RGB.

        None where it draws none, or was not asked to (TaskSettings.rendered).
        """
        return None

    def observation_spec(self) -> Mapping[str, specs.Array]:
        return observation_spec(self.spec)

    def action_spec(self) -> specs.DiscreteArray:
        return action_spec(self.spec)


def checked_reward(reward: Any) -> float:
    """Returns the reward of a step as the number that it is.

    Args:
      reward: a number, or an array of a single one.

    Raises:
      ValueError: it is none, or none that is finite as a float32.
    """
    number = reward
    if not isinstance(reward, (float, int)):
        array = np.asarray(reward)
        is_number = array.size == 1 and array.dtype.kind in "biuf"
        number = array.item() if is_number else np.nan
    if not -_LARGEST_REWARD <= number <= _LARGEST_REWARD:
        # As a number is written, whichever NumPy made it.
        shown = reward.item() if isinstance(reward, np.generic) else reward
        came = " ".join(repr(shown).split())[:_TOLD_OF_A_REWARD]
        raise ValueError(
            f"its reward is {came}, but one number that float32 holds is needed"
        )
    return float(number)


def tile_size(grid_shape: tuple[int, ...]) -> int:
    """Returns the pixels of a cell's side in the drawing of a grid [H, W, ...]."""
    return _GRID_PICTURE_SIZE // max(grid_shape[:2])


def nearest_name(name: str, names: Sequence[str], likeness: float = 0.4) -> str:
    """Returns ` (did you mean X?)` for the closest of `names`, or nothing.

    Args:
      name: that there is not.
      names: that there are.
      likeness: of the closest at least, from 0 to 1 for the same.
    """
    import difflib

    close = difflib.get_close_matches(name, names, n=1, cutoff=likeness)
    return f" (did you mean {close[0]!r}?)" if close else ""
