"""What an actor does, in words for a person, should nothing come of it."""

import time
from collections.abc import Sequence

import numpy as np

# What an environment may take without a word.
_LONG_SECONDS = 10.0
_MOST_TASKS = 3


class Doing:
    """Follows one actor; `words` may be called from any thread.

    Attributes:
      acts: whether it has begun to.
    """

    def __init__(self, tasks: Sequence[str], now: float) -> None:
        """Begins with an actor that prepares itself, and whose environments reset.

        Args:
          tasks: of each environment, E of them.
          now: seconds of time.monotonic.
        """
        self._tasks = tasks
        self._has_answered = np.zeros(len(tasks), bool)
        # Infinite where nothing was asked that is not answered.
        self._asked_at = np.full(len(tasks), now)
        self._num_held = 0
        self.acts = False

    def act(self) -> None:
        """It begins to act."""
        self.acts = True

    def asked(self, indices: np.ndarray) -> None:
        """Environments, int32 [n], were given actions."""
        self._asked_at[indices] = time.monotonic()

    def took(self, indices: np.ndarray) -> None:
        """Environments, int32 [n], have given a result."""
        self._asked_at[indices] = np.inf
        self._has_answered[indices] = True

    def hold(self, indices: np.ndarray) -> None:
        """These, int32 [n], cannot go on until their unrolls are sent."""
        self._num_held = len(indices)

    def words(self, agent_steps: int) -> str:
        """Returns it, as a sentence goes on after the actor's name.

        Args:
          agent_steps: that it has made.
        """
        if not self.acts:
            return "compiles its policy"
        total = len(self._tasks)
        seconds = time.monotonic() - self._asked_at
        waits = seconds > _LONG_SECONDS
        parts = []
        if waits.any():
            parts.append(
                f"has waited for {waits.sum()} of its {total} environments "
                f"({self._tasks_of(waits)}) for {seconds[waits].max():.0f} seconds"
            )
            silent = waits & ~self._has_answered
            if silent.any():
                parts[-1] += f", of which {silent.sum()} have given nothing yet"
        if self._num_held:
            parts.append(
                f"waits until unrolls of {self._num_held} of its {total} environments "
                "are sent"
            )
        return " and ".join(parts) or f"acts ({agent_steps:,} agent steps so far)"

    def _tasks_of(self, chosen: np.ndarray) -> str:
        names = list(dict.fromkeys(self._tasks[i] for i in np.flatnonzero(chosen)))
        more = ["..."] if len(names) > _MOST_TASKS else []
        return ", ".join([*names[:_MOST_TASKS], *more])
