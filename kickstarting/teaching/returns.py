"""How well teachers do, as far as it was measured."""

from typing import NamedTuple

import numpy as np

# Below the mean of a measurement: a teacher falls short of that once in 44 times.
_STANDARD_ERRORS = 2.0


class TeacherReturns(NamedTuple):
    """Measured raw returns, NaN where unknown.

    Attributes:
      mean: float32 [num_tasks, K].
      standard_error: float32 [num_tasks, K], of the mean.
    """

    mean: np.ndarray
    standard_error: np.ndarray

    @classmethod
    def unknown(cls, num_tasks: int, num_teachers: int) -> "TeacherReturns":
        """Returns what is known before anything was measured."""
        nothing = np.full((num_tasks, num_teachers), np.nan, np.float32)
        return cls(nothing, nothing.copy())

    def assured(self) -> np.ndarray:
        """Returns what they reach for all that is known, float32 [num_tasks, K].

        λ follows this and not the mean. A random teacher that was lucky in its trial
        would seem better than chance, its student would never come up to it, and so
        would never be let go (docs/many_teachers.md).
        """
        return self.mean - _STANDARD_ERRORS * self.standard_error
