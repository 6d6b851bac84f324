"""Teachers that must not sink a student: a random one and adversaries.

Each function is a factory for --teachers=experiments.bad_teachers:<function>.
"""

from typing import Any

import numpy as np

from kickstarting.agent import trajectory
from kickstarting.environments import suites
from kickstarting.teaching import teachers

# Of the logits of what an adversary does not do: a probability of e^-20.
_NEVER = -20.0


class RandomTeacher:
    """Advises every action alike.

    Attributes:
      action_names: see trajectory.Teacher.
    """

    def __init__(self, task: str) -> None:
        """Takes the action set of a task."""
        self.action_names = suites.environment_spec(task).action_names

    def initial_state(self, batch_size: int) -> Any:
        """It has none."""
        del batch_size
        return ()

    def label(
        self, observation: trajectory.Observation, first: np.ndarray, state: Any
    ) -> tuple[np.ndarray, Any]:
        """See trajectory.Teacher."""
        del observation
        return np.zeros((*first.shape, len(self.action_names)), np.float32), state


class AdversarialTeacher:
    """Advises, for certain, what a good teacher finds least probable.

    Attributes:
      action_names: see trajectory.Teacher.
    """

    def __init__(self, folder: str) -> None:
        """Takes the folder of the good teacher."""
        self._good = teachers.CheckpointTeacher(folder)
        self.action_names = self._good.action_names

    def initial_state(self, batch_size: int) -> trajectory.CoreState:
        """See trajectory.Teacher."""
        return self._good.initial_state(batch_size)

    def label(
        self,
        observation: trajectory.Observation,
        first: np.ndarray,
        state: trajectory.CoreState,
    ) -> tuple[np.ndarray, trajectory.CoreState]:
        """See trajectory.Teacher."""
        logits, state = self._good.label(observation, first, state)
        worst = np.eye(logits.shape[-1], dtype=bool)[np.argmin(logits, axis=-1)]
        return np.where(worst, 0.0, _NEVER).astype(np.float32), state


def random_in_doom() -> RandomTeacher:
    """Returns the random teacher of the doom suite."""
    return RandomTeacher("doom:basic")


def random_on_grids() -> RandomTeacher:
    """Returns the random teacher of the xland suite's 7x7 views."""
    return RandomTeacher("xland:MiniGrid-Empty-8x8")


def adversary_on_grids() -> AdversarialTeacher:
    """Returns the adversary of the small teacher of eight grids."""
    return AdversarialTeacher("teachers/study/xland")


def adversary_in_defend_the_center() -> AdversarialTeacher:
    """Returns the adversary of the published teacher."""
    return AdversarialTeacher("teachers/study/doom_published/defend_the_center")


def adversary_in_defend_the_line() -> AdversarialTeacher:
    """Returns the adversary of the published teacher."""
    return AdversarialTeacher("teachers/study/doom_published/defend_the_line")
