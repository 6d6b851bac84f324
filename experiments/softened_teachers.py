"""Teachers that are less sure of what they advise than they were trained to be."""

from typing import Any

import numpy as np

from kickstarting.agent import trajectory
from kickstarting.teaching import teachers

_TEMPERATURE = 4.0


class SoftenedTeacher:
    """Advises by a teacher's logits, divided by a temperature.

    Attributes:
      action_names: see trajectory.Teacher.
    """

    def __init__(self, teacher: trajectory.Teacher) -> None:
        """Takes the teacher."""
        self._teacher = teacher
        self.action_names = teacher.action_names

    def initial_state(self, batch_size: int) -> Any:
        """See trajectory.Teacher."""
        return self._teacher.initial_state(batch_size)

    def label(
        self, observation: trajectory.Observation, first: np.ndarray, state: Any
    ) -> tuple[np.ndarray, Any]:
        """See trajectory.Teacher."""
        logits, state = self._teacher.label(observation, first, state)
        return np.asarray(logits) / np.float32(_TEMPERATURE), state


def softened_on_grids() -> SoftenedTeacher:
    """Makes the soft one of teachers/study/xland."""
    return SoftenedTeacher(teachers.CheckpointTeacher("teachers/study/xland"))
