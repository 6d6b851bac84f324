"""Teachers of MiniGrid that cannot teach, by their names for --teachers."""

from typing import Any

import numpy as np

from examples import scripted_teacher
from kickstarting.agent import trajectory

# Calls after which `breaking` answers NaN: the question before training is one.
_SOUND_CALLS = 1


class _Teacher:
    action_names = scripted_teacher.ACTION_NAMES

    def __init__(self) -> None:
        self._calls = 0

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def label(
        self, observation: trajectory.Observation, first: np.ndarray, state: Any
    ) -> tuple[np.ndarray, Any]:
        self._calls += 1
        value = np.nan if self._calls > _SOUND_CALLS else 0.0
        return np.full((*first.shape, len(self.action_names)), value, np.float32), state


class _Raising(_Teacher):
    def label(self, observation, first, state):
        raise RuntimeError("its weights are away")


class _OfOtherActions(_Teacher):
    def label(self, observation, first, state):
        return np.zeros((*first.shape, 3), np.float32), state


class _NotFinite(_Teacher):
    def label(self, observation, first, state):
        return np.full((*first.shape, len(self.action_names)), np.nan), state


breaking = _Teacher
raising = _Raising
of_other_actions = _OfOtherActions
not_finite = _NotFinite
