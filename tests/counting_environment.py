"""A deterministic batch of environments in memory whose observations say what they are.

The first cells of every frame hold environment, episode and step, so that each
alignment of an unroll can be verified against the `history` that the environments keep.
"""

import dataclasses
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kickstarting.environments import base
from kickstarting.environments.stepping import batch

SPEC = base.EnvironmentSpec(
    frame_shape=(3, 3, 3),
    instruction_length=0,
    action_names=("left", "right", "stay"),
    action_repeat=1,
)

# Asked for by the start alone.
_RESET = -2


@dataclasses.dataclass(frozen=True)
class Script:
    """What one environment does.

    Attributes:
      length: agent steps of an episode.
      truncation: whether episodes are truncated rather than terminated.
      delay: calls of `wait` that pass before a step's result is ready.
      lost_at: numbers of steps (from 1, over the environment's life) at which it is
        lost and replaced: a new episode opens and nothing came of the action.
      hangs_at: the step, likewise, that never gives a result; 0 for none.
      changing_actions: whether what is available changes with the step, as
        `available_actions` says; else everything is.
    """

    length: int = 5
    truncation: bool = False
    delay: int = 0
    lost_at: tuple[int, ...] = ()
    hangs_at: int = 0
    changing_actions: bool = False


class Code(NamedTuple):
    """What the first cells of a frame hold."""

    environment: int
    episode: int
    step: int


class Transition(NamedTuple):
    """One step as the environment knows it; `first` is of the observation `after`."""

    before: Code
    action: int
    reward: float
    discount: float
    first: bool
    after: Code
    lost: bool


def code(frame: np.ndarray) -> Code:
    """Returns what a frame [H, W, C] says."""
    environment, episode, step = (int(x) for x in frame[0, 0])
    return Code(environment, episode + 256 * int(frame[0, 1, 0]), step)


def available_actions(step: int, num_actions: int) -> np.ndarray:
    """Returns what changing actions leave open at a step of an episode, bool [A].

    One is left at step 0, one more at each further step, then one again.
    """
    left = 1 + step % num_actions
    return np.roll(np.arange(num_actions) < left, step)


class CountingBatch:
    """A batch.EnvironmentBatch; see there for the contract.

    A reward is the number of the step over the environment's life plus a tenth of the
    action: no two are alike.
    """

    def __init__(
        self,
        scripts: Sequence[Script],
        num_slots: int,
        unroll_length: int,
        spec: base.EnvironmentSpec = SPEC,
    ) -> None:
        self.spec = spec
        self.num_environments = size = len(scripts)
        slots = (size, num_slots, unroll_length + 1)
        self.pixels = np.zeros((*slots, *spec.frame_shape), np.uint8)
        self.instruction = np.zeros((*slots, spec.instruction_length), np.int32)
        self.available_actions = np.zeros((*slots, spec.num_actions), bool)
        self.reward = np.zeros(size, np.float32)
        self.discount = np.ones(size, np.float32)
        self.first = np.zeros(size, bool)
        self.ended = np.zeros(size, bool)
        self.episode_return = np.zeros(size, np.float64)
        self.episode_steps = np.zeros(size, np.int64)
        self.restarted = np.zeros(size, bool)
        self.history: list[list[Transition]] = [[] for _ in scripts]
        self.closed = False
        self._scripts = tuple(scripts)
        self._now = [Code(index, 0, 0) for index in range(size)]
        self._total_steps = [0] * size
        self._return_so_far = [0.0] * size
        self._polls_left: dict[int, int] = {}
        self._asked: dict[int, tuple[int, int, int]] = {}

    def start(self) -> None:
        """Opens every environment's first episode."""
        for index in range(self.num_environments):
            self._asked[index] = (_RESET, 0, 0)
            self._polls_left[index] = self._scripts[index].delay

    def wait(self, timeout: float) -> np.ndarray:
        """Counts one poll and returns what is ready after it."""
        ready = [index for index, left in self._polls_left.items() if left <= 0]
        self._polls_left = {
            index: left - 1 for index, left in self._polls_left.items() if left > 0
        }
        for index in ready:
            self._give_result(index, *self._asked.pop(index))
        if not ready:
            time.sleep(min(timeout, 0.001))
        return np.array(sorted(ready), np.int32)

    def step(
        self,
        indices: np.ndarray,
        actions: np.ndarray,
        slots: np.ndarray,
        positions: np.ndarray,
    ) -> None:
        """Takes actions; results come by `wait`."""
        for index, *asked in zip(
            indices.tolist(),
            actions.tolist(),
            slots.tolist(),
            positions.tolist(),
            strict=True,
        ):
            if index in self._asked:
                raise AssertionError(f"environment {index} was stepped while busy")
            self._asked[index] = tuple(asked)
            script = self._scripts[index]
            hangs = self._total_steps[index] + 1 == script.hangs_at
            self._polls_left[index] = 10**9 if hangs else script.delay

    def counters(self) -> dict[str, float]:
        """Returns the environments lost so far."""
        lost = sum(each.lost for history in self.history for each in history)
        return {"worker_restarts": float(lost)}

    def close(self) -> None:
        """Remembers that it was called."""
        self.closed = True

    def _give_result(self, index: int, action: int, slot: int, position: int) -> None:
        if action == _RESET:
            self._observe(index, slot, position)
            self.first[index] = True
            return
        script, before = self._scripts[index], self._now[index]
        self._total_steps[index] += 1
        total = self._total_steps[index]
        lost = total in script.lost_at
        crossing = not lost and (
            before.step == script.length or action == batch.OPEN_EPISODE
        )
        ends = not (lost or crossing) and before.step + 1 == script.length
        opens = lost or crossing or (ends and not script.truncation)
        self.reward[index] = 0 if lost or crossing else total + action / 10
        self.discount[index] = 0 if ends and not script.truncation else 1
        self.first[index] = opens
        self.ended[index] = ends
        self.restarted[index] = lost
        self._return_so_far[index] += float(self.reward[index])
        if ends:
            self.episode_return[index] = self._return_so_far[index]
            self.episode_steps[index] = script.length
        if opens:
            self._return_so_far[index] = 0.0
            self._now[index] = Code(index, before.episode + 1, 0)
        else:
            self._now[index] = before._replace(step=before.step + 1)
        self.history[index].append(
            Transition(
                before,
                action,
                float(self.reward[index]),
                float(self.discount[index]),
                opens,
                self._now[index],
                lost,
            )
        )
        self._observe(index, slot, position)

    def _observe(self, index: int, slot: int, position: int) -> None:
        now, frame = self._now[index], self.pixels[index, slot, position]
        frame[0, 0] = now.environment, now.episode % 256, now.step
        frame[0, 1, 0] = now.episode // 256
        available = self.available_actions[index, slot, position]
        available[:] = True
        if self._scripts[index].changing_actions:
            available[:] = available_actions(now.step, len(available))
        if self.spec.instruction_length:
            self.instruction[index, slot, position] = 1 + self._now[index].episode
