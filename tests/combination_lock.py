"""A task that nobody finds by chance, and a teacher that knows it.

A lock of eight cells: one of three actions is right in each. A wrong one ends the
episode with nothing, the eighth right one with a reward of 1.
"""

from typing import Any

import numpy as np

from kickstarting.agent import trajectory
from kickstarting.environments import base

LENGTH = 8
SPEC = base.EnvironmentSpec(
    frame_shape=(3, LENGTH, 3),
    instruction_length=0,
    action_names=("left", "right", "stay"),
    action_repeat=1,
)
CODE = np.array([0, 2, 1, 1, 2, 0, 2, 0])


class LockBatch:
    """A batch.EnvironmentBatch of locks, all ready at once; see there."""

    def __init__(self, size: int, num_slots: int, unroll_length: int) -> None:
        self.spec = SPEC
        self.num_environments = size
        slots = (size, num_slots, unroll_length + 1)
        self.pixels = np.zeros((*slots, *SPEC.frame_shape), np.uint8)
        self.instruction = np.zeros((*slots, 0), np.int32)
        self.available_actions = np.ones((*slots, SPEC.num_actions), bool)
        self.reward = np.zeros(size, np.float32)
        self.discount = np.ones(size, np.float32)
        self.first = np.ones(size, bool)
        self.ended = np.zeros(size, bool)
        self.episode_return = np.zeros(size, np.float64)
        self.episode_steps = np.zeros(size, np.int64)
        self.restarted = np.zeros(size, bool)
        self._cell = np.zeros(size, np.int64)
        self._ready = np.zeros(0, np.int32)

    def start(self) -> None:
        """Shows the first cell of every lock."""
        self._ready = np.arange(self.num_environments, dtype=np.int32)
        self._show(self._ready, 0, 0)

    def wait(self, timeout: float) -> np.ndarray:
        """Returns what was stepped since the last call."""
        del timeout
        ready, self._ready = self._ready, np.zeros(0, np.int32)
        return ready

    def step(
        self,
        indices: np.ndarray,
        actions: np.ndarray,
        slots: np.ndarray,
        positions: np.ndarray,
    ) -> None:
        """Turns the locks."""
        right = actions == CODE[self._cell[indices]]
        cell = self._cell[indices] + 1
        ends = ~right | (cell == LENGTH)
        self.reward[indices] = right & ends
        self.discount[indices] = ~ends
        self.first[indices] = ends
        self.ended[indices] = ends
        self.episode_return[indices] = right & ends
        self.episode_steps[indices] = cell
        self._cell[indices] = np.where(ends, 0, cell)
        self._show(indices, slots, positions)
        self._ready = np.concatenate([self._ready, indices])

    def counters(self) -> dict[str, float]:
        """Has none."""
        return {}

    def close(self) -> None:
        """Needs nothing."""

    def _show(self, indices: np.ndarray, slots: Any, positions: Any) -> None:
        self.pixels[indices, slots, positions] = 0
        self.pixels[indices, slots, positions, :, self._cell[indices]] = 255


class LockTeacher:
    """Knows the code; keeps trajectory.Teacher."""

    action_names = SPEC.action_names

    def initial_state(self, batch_size: int) -> tuple[()]:
        """Needs none."""
        del batch_size
        return ()

    def label(
        self, observation: trajectory.Observation, first: np.ndarray, state: tuple[()]
    ) -> tuple[np.ndarray, tuple[()]]:
        """See trajectory.Teacher; the right action has a probability of 0.98."""
        cell = np.argmax(observation.pixels[:, :, 0, :, 0], axis=-1)
        logits = np.zeros((*first.shape, len(self.action_names)), np.float32)
        np.put_along_axis(logits, CODE[cell][..., None], 5.0, axis=-1)
        return logits, state


make_teacher = LockTeacher
