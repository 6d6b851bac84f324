"""The `xland` suite: XLand-MiniGrid's MiniGrid tasks, stepped as one batch of arrays.

Observations are uint8 [view, view, 2] grids of tile and colour ids as the agent sees
them, with what it carries in its own cell, the middle of the lowest row; rewards are
1 - 0.9 * steps / time limit at the goal. The time limit truncates. The batch lives in
the actor's process: this module imports JAX, so no worker may load it.
"""

import functools
import time
from collections.abc import Sequence

import dm_env
import jax
import numpy as np
import xminigrid
from xminigrid import types
from xminigrid.rendering import rgb_render

from kickstarting.environments import base
from kickstarting.environments.gym import instructions
from kickstarting.environments.stepping import batch
from kickstarting.environments.xland import grid_picture, openings, worlds

ACTION_NAMES = ("forward", "turn_right", "turn_left", "pick_up", "put_down", "toggle")

_PREFIX = "MiniGrid-"
_ONE_WORLD = np.zeros(1, np.int32)


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
        self._world = _worlds([level])
        self._openings = openings.openings(level, settings.seed)
        self._rendered = settings.rendered
        self._is_open = self._is_over = False

    def reset(self) -> dm_env.TimeStep:
        self._world.open(0, next(self._openings))
        self._is_open, self._is_over = True, False
        return dm_env.restart(self._observation())

    def step(self, action: int) -> dm_env.TimeStep:
        if not self._is_open or self._is_over:
            return self.reset()
        outcome = _repeated(
            self._world, _ONE_WORLD, np.array([action]), self.spec.action_repeat
        )
        reward = float(outcome.reward[0])
        self._is_over = bool(outcome.over[0])
        if not self._is_over:
            return dm_env.transition(reward, self._observation())
        if not outcome.terminated[0]:
            return dm_env.truncation(reward, self._observation(), discount=1.0)
        return dm_env.termination(reward, self._observation())

    def picture(self, pixels: np.ndarray) -> np.ndarray:
        return grid_picture.draw(pixels, base.tile_size(pixels.shape))

    def render(self) -> np.ndarray | None:
        if not self._rendered or not self._is_open:
            return None
        return rgb_render.render(*self.state(), self.spec.frame_shape[0])

    def state(self) -> tuple[np.ndarray, types.AgentState]:
        """Returns the world: its grid, uint8 [H, W, 2], and the agent in it."""
        return self._world.state(0)

    def _observation(self) -> dict[str, np.ndarray]:
        return {
            base.PIXELS: self._world.views(_ONE_WORLD)[0],
            base.INSTRUCTION: instructions.encode("", 0),
        }


make = XLandEnvironment


class XLandBatch:
    """A batch.EnvironmentBatch in this process; see there for the contract.

    A step is done when it is asked for, and `wait` never waits for one.
    """

    def __init__(
        self,
        settings: Sequence[base.TaskSettings],
        num_slots: int,
        unroll_length: int,
        device: jax.Device | None = None,
    ) -> None:
        """Makes the batch; `start` compiles what draws its episodes' openings.

        Args:
          settings: one for each environment; all must have one spec.
          num_slots: S, unrolls in flight of each environment.
          unroll_length: T.
          device: where openings are drawn; JAX's default if None.

        Raises:
          base.EnvironmentConfigError: a level is unknown.
        """
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
        self._worlds = _worlds(names)
        self._openings = [
            openings.openings(name, each.seed, device)
            for name, each in zip(names, settings, strict=True)
        ]
        self._bootstraps = np.array([each.bootstrap_time_limit for each in settings])
        # Truncated episodes wait on their last time step for the step that crosses.
        self._is_over = np.zeros(size, np.bool_)
        # Of environments whose results nobody has been told of.
        self._done: list[np.ndarray] = []

    def start(self) -> None:
        """Opens every environment's first episode."""
        everyone = np.arange(self.num_environments, dtype=np.int32)
        zeros = np.zeros_like(everyone)
        self.step(everyone, np.full_like(everyone, batch.OPEN_EPISODE), zeros, zeros)

    def wait(self, timeout: float) -> np.ndarray:
        """Returns the environments that have become ready, int32 [n], ascending."""
        if not self._done:
            time.sleep(timeout)
            return np.zeros((0,), np.int32)
        ready = np.concatenate(self._done)
        self._done.clear()
        return np.sort(ready)

    def step(
        self,
        indices: np.ndarray,
        actions: np.ndarray,
        slots: np.ndarray,
        positions: np.ndarray,
    ) -> None:
        """Steps environments, and opens the next episodes of those that are over."""
        crosses = self._is_over[indices] | (actions == batch.OPEN_EPISODE)
        acting = indices[~crosses]
        outcome = _repeated(
            self._worlds, acting, actions[~crosses], self.spec.action_repeat
        )
        terminated = outcome.terminated | (outcome.over & ~self._bootstraps[acting])
        crossing = indices[crosses]
        for world in np.concatenate([crossing, acting[terminated]]).tolist():
            self._worlds.open(world, next(self._openings[world]))
        self._is_over[crossing] = False
        self._is_over[acting] = outcome.over & ~terminated
        self.reward[crossing] = 0.0
        self.reward[acting] = outcome.reward
        self.discount[crossing] = 1.0
        self.discount[acting] = np.where(terminated, 0.0, 1.0)
        self.first[crossing] = True
        self.first[acting] = terminated
        self.ended[crossing] = False
        self.ended[acting] = outcome.over
        self.pixels[indices, slots, positions] = self._worlds.views(indices)
        self._count(crossing, acting, outcome)
        self._done.append(indices)

    def _count(
        self, crossing: np.ndarray, acting: np.ndarray, outcome: worlds.Outcome
    ) -> None:
        """Adds a step to the episodes of those that acted; the others left theirs."""
        self._return_so_far[crossing] = 0.0
        self._steps_so_far[crossing] = 0
        self._return_so_far[acting] += outcome.reward
        self._steps_so_far[acting] += 1
        self.episode_return[acting] = self._return_so_far[acting]
        self.episode_steps[acting] = self._steps_so_far[acting]
        over = acting[outcome.over]
        self._return_so_far[over] = 0.0
        self._steps_so_far[over] = 0

    def counters(self) -> dict[str, float]:
        """Returns {'worker_restarts': 0}: there are no workers to lose."""
        return {"worker_restarts": 0.0}

    def close(self) -> None:
        """Forgets what nobody has been told of."""
        self._done.clear()


def _worlds(names: Sequence[str]) -> worlds.Worlds:
    """Returns empty worlds of these levels, which share the size of their views."""
    parameters = [xminigrid.make(name)[1] for name in names]
    return worlds.Worlds(
        [(each.height, each.width) for each in parameters],
        parameters[0].view_size,
        [each.max_steps for each in parameters],
    )


def _repeated(
    of: worlds.Worlds, indices: np.ndarray, actions: np.ndarray, repeat: int
) -> worlds.Outcome:
    """Repeats actions, int [n], in some worlds; an episode's end ends its repetition.

    Returns:
      the last step's outcome in each, with the sum of the rewards.
    """
    outcome = of.step(indices, actions)
    for _ in range(repeat - 1):
        (goes_on,) = np.nonzero(~outcome.over)
        later = of.step(indices[goes_on], actions[goes_on])
        for total, more in zip(outcome, later, strict=True):
            # All were 0 before: an episode is rewarded where it ends.
            total[goes_on] = more
    return outcome
