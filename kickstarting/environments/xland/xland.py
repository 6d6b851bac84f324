"""The `xland` suite: XLand-MiniGrid's MiniGrid tasks, stepped as one compiled batch.

Observations are uint8 [view, view, 2] grids of tile and colour ids as the agent sees
them, with what it carries in its own cell, the middle of the lowest row; rewards are
1 - 0.9 * steps / time limit at the goal. The time limit truncates. The batch lives in
the actor's process: this module imports JAX, so no worker may load it.
"""

import functools
import time
from collections.abc import Sequence
from typing import Any

import dm_env
import jax
import numpy as np
import xminigrid
from xminigrid.rendering import rgb_render

from kickstarting.environments import base
from kickstarting.environments.gym import instructions
from kickstarting.environments.xland import grid_picture
from kickstarting.environments.xland import simulator as xland_simulator

ACTION_NAMES = ("forward", "turn_right", "turn_left", "pick_up", "put_down", "toggle")

_PREFIX = "MiniGrid-"


def levels() -> tuple[str, ...]:
    """Returns the MiniGrid tasks of XLand-MiniGrid's registry."""
    return tuple(
        name for name in xminigrid.registered_environments() if name.startswith(_PREFIX)
    )


@functools.cache
def spec(level: str, action_repeat: int) -> base.EnvironmentSpec:
    """Returns the spec of `level`; its view is 7x7, or 3x3 in the Memory tasks.

    Raises:
      base.EnvironmentConfigError: the level is unknown.
    """
    if level not in levels():
        raise base.EnvironmentConfigError(
            f"xland has no level {level!r}{base.nearest_name(level, levels())}"
        )
    environment, parameters = xminigrid.make(level)
    height, width, channels = environment.observation_shape(parameters)
    return base.EnvironmentSpec(
        frame_shape=(height, width, channels),
        instruction_length=0,
        action_names=ACTION_NAMES,
        action_repeat=action_repeat,
    )


class XLandEnvironment(base.SpecifiedEnvironment):
    """One environment behind dm_env; for evaluation and tests, not for speed."""

    def __init__(self, settings: base.TaskSettings) -> None:
        """Makes the environment.

        Raises:
          base.EnvironmentConfigError: the level is unknown.
        """
        level = settings.task.partition(":")[2]
        super().__init__(spec(level, settings.action_repeat))
        self._simulator = xland_simulator.simulator(level, settings.action_repeat)
        self._key = jax.random.PRNGKey(settings.seed)
        self._rendered = settings.rendered
        self._timestep: Any = None

    def reset(self) -> dm_env.TimeStep:
        self._key, opening_key = jax.random.split(self._key)
        self._timestep = self._simulator.reset(opening_key)
        return dm_env.restart(self._observation())

    def step(self, action: int) -> dm_env.TimeStep:
        if self._timestep is None or self._timestep.last():
            return self.reset()
        self._timestep, total = self._simulator.step(self._timestep, np.int32(action))
        reward = float(total)
        if not self._timestep.last():
            return dm_env.transition(reward, self._observation())
        if self._timestep.discount > 0:
            return dm_env.truncation(reward, self._observation(), discount=1.0)
        return dm_env.termination(reward, self._observation())

    def picture(self, pixels: np.ndarray) -> np.ndarray:
        return grid_picture.draw(pixels, base.tile_size(pixels.shape))

    def render(self) -> np.ndarray | None:
        if not self._rendered or self._timestep is None:
            return None
        state = jax.tree.map(np.asarray, self._timestep.state)
        return rgb_render.render(state.grid, state.agent, self.spec.frame_shape[0])

    def _observation(self) -> dict[str, np.ndarray]:
        return {
            base.PIXELS: np.asarray(self._timestep.observation),
            base.INSTRUCTION: instructions.encode("", 0),
        }


make = XLandEnvironment


class _Group:
    """The environments of one level, their state and where each is in the batch."""

    def __init__(self, level: str, settings: Sequence[base.TaskSettings]) -> None:
        self.simulator = xland_simulator.simulator(level, settings[0].action_repeat)
        self.size = len(settings)
        self.bootstraps = np.array([each.bootstrap_time_limit for each in settings])
        self.keys = np.stack([jax.random.PRNGKey(each.seed) for each in settings])
        self.state: Any = None


class XLandBatch:
    """A batch.EnvironmentBatch in this process; see there for the contract.

    Steps are dispatched at once and computed by XLA while the caller goes on; `wait`
    blocks for their results, which takes far less than any useful timeout.
    """

    def __init__(
        self,
        settings: Sequence[base.TaskSettings],
        num_slots: int,
        unroll_length: int,
        device: jax.Device | None = None,
    ) -> None:
        """Makes the batch; `start` compiles it.

        Args:
          settings: one for each environment; all must have one spec.
          num_slots: S, unrolls in flight of each environment.
          unroll_length: T.
          device: where it is stepped; JAX's default if None.

        Raises:
          base.EnvironmentConfigError: a level is unknown.
        """
        self._device = device
        names = [each.task.partition(":")[2] for each in settings]
        self.spec = spec(names[0], settings[0].action_repeat)
        self.num_environments = size = len(settings)
        slots = (size, num_slots, unroll_length + 1)
        self.pixels = np.zeros((*slots, *self.spec.frame_shape), np.uint8)
        self.instruction = np.zeros((*slots, 0), np.int32)
        self.available_actions = np.ones((*slots, self.spec.num_actions), np.bool_)
        self.reward = np.zeros(size, np.float32)
        self.discount = np.ones(size, np.float32)
        self.first = np.zeros(size, np.bool_)
        self.ended = np.zeros(size, np.bool_)
        self.episode_return = np.zeros(size, np.float64)
        self.episode_steps = np.zeros(size, np.int64)
        self.restarted = np.zeros(size, np.bool_)
        self._return_so_far = np.zeros(size, np.float64)
        self._steps_so_far = np.zeros(size, np.int64)
        self._groups: list[_Group] = []
        self._group_of = np.zeros(size, np.int32)
        self._place_in_group = np.zeros(size, np.int32)
        for level in dict.fromkeys(names):
            members = [index for index, name in enumerate(names) if name == level]
            self._group_of[members] = len(self._groups)
            self._place_in_group[members] = np.arange(len(members))
            self._groups.append(_Group(level, [settings[each] for each in members]))
        # (indices, slots, positions, outcome) of the steps under way.
        self._pending: list[tuple] = []

    def start(self) -> None:
        """Resets every group, and compiles its step with one that steps nothing."""
        for number, group in enumerate(self._groups):
            # What is committed to a device takes all steps there.
            keys = jax.device_put(group.keys, self._device)
            group.state, outcome = group.simulator.reset_batch(keys)
            nothing = np.zeros(group.size, np.int32)
            group.simulator.step_batch(
                group.state, nothing, nothing.astype(np.bool_), group.bootstraps
            )
            indices = np.flatnonzero(self._group_of == number).astype(np.int32)
            zeros = np.zeros_like(indices)
            self._pending.append((indices, zeros, zeros, outcome))

    def wait(self, timeout: float) -> np.ndarray:
        """Returns the environments that have become ready, int32 [n], ascending."""
        if not self._pending:
            time.sleep(timeout)
            return np.zeros((0,), np.int32)
        for indices, slots, positions, outcome in self._pending:
            self._write(indices, slots, positions, outcome)
        ready = np.concatenate([indices for indices, *_ in self._pending])
        self._pending.clear()
        return np.sort(ready)

    def step(
        self,
        indices: np.ndarray,
        actions: np.ndarray,
        slots: np.ndarray,
        positions: np.ndarray,
    ) -> None:
        """Dispatches one compiled step for each group and returns without waiting."""
        for number in np.unique(self._group_of[indices]):
            group = self._groups[number]
            mine = self._group_of[indices] == number
            places = self._place_in_group[indices[mine]]
            chosen = np.zeros(group.size, np.bool_)
            chosen[places] = True
            action = np.zeros(group.size, np.int32)
            action[places] = actions[mine]
            group.state, outcome = group.simulator.step_batch(
                group.state, action, chosen, group.bootstraps
            )
            self._pending.append((indices[mine], slots[mine], positions[mine], outcome))

    def counters(self) -> dict[str, float]:
        """Returns {'worker_restarts': 0}: there are no workers to lose."""
        return {"worker_restarts": 0.0}

    def close(self) -> None:
        """Drops the steps under way."""
        self._pending.clear()

    def _write(
        self,
        indices: np.ndarray,
        slots: np.ndarray,
        positions: np.ndarray,
        outcome: xland_simulator.BatchOutcome,
    ) -> None:
        places = self._place_in_group[indices]
        host = xland_simulator.BatchOutcome(
            *(np.asarray(array)[places] for array in outcome)
        )
        self.pixels[indices, slots, positions] = host.observation
        self.reward[indices] = host.reward
        self.discount[indices] = host.discount
        self.first[indices] = host.first
        self.ended[indices] = host.ended
        # A step that only opens an episode, after a truncation, belongs to none.
        acted = ~(host.first & ~host.ended)
        self._return_so_far[indices] += host.reward
        self._steps_so_far[indices] += acted
        self.episode_return[indices] = self._return_so_far[indices]
        self.episode_steps[indices] = self._steps_so_far[indices]
        over = indices[host.ended | host.first]
        self._return_so_far[over] = 0.0
        self._steps_so_far[over] = 0
