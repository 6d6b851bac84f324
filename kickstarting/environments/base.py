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
    """

    frame_shape: tuple[int, int, int]
    instruction_length: int
    action_names: tuple[str, ...]
    action_repeat: int

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
      waits_at_ends: hands an episode's end over before the next one is opened, which
        then the next step does; False opens it within the step that ended the other.
      lab: for the suites of DeepMind Lab.
    """

    task: str
    seed: int
    action_repeat: int = ACTION_REPEAT
    held_out: bool = False
    bootstrap_time_limit: bool = True
    waits_at_ends: bool = False
    lab: config_lib.LabConfig = config_lib.LabConfig()

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

    def observation_spec(self) -> Mapping[str, specs.Array]:
        return observation_spec(self.spec)

    def action_spec(self) -> specs.DiscreteArray:
        return action_spec(self.spec)


def nearest_name(name: str, names: Sequence[str]) -> str:
    """Returns ` (did you mean X?)` for the closest of `names`, or nothing."""
    import difflib

    close = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    return f" (did you mean {close[0]!r}?)" if close else ""
