"""The newest parameters that an actor has, and when it waits for newer ones."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from kickstarting.config import run as config_lib

_POLL_SECONDS = 0.02
# Of all actors together: one learner answers them, and may send its weights each time.
_MOST_POLLS_PER_SECOND = 200
# In lockstep.
_LOCKSTEP_POLL_SECONDS = 0.002
# Where acting and learning take turns: how often an actor looks for what was learned,
_TURN_POLL_SECONDS = 0.005
# and when it acts on without: unrolls may be lost with a learner, or an actor be dead.
# Where learning merely takes longer, unrolls become older.
_TURN_SECONDS = 30.0


def parameters_period(config: config_lib.Config) -> float:
    """Returns the seconds after which an actor asks for parameters again.

    Args:
      config: of the run; the more actors it has the less often each asks.
    """
    return max(_POLL_SECONDS, config.num_actors / _MOST_POLLS_PER_SECOND)


class NewestParameters:
    """Fetches parameters, and has an actor wait for them when it is not its turn.

    Attributes:
      version: of the newest parameters, -1 before the first: the learner's updates.
      kickstarting_weight: the λ that came with them, float32 [num_tasks, K].
    """

    def __init__(
        self,
        config: config_lib.Config,
        fetch: Callable[[int], Any],
        take: Callable[[np.ndarray], None],
    ) -> None:
        """Fetches nothing yet.

        Args:
          config: of the run.
          fetch: `LearnerClient.parameters`.
          take: is given the flat parameters, float32 [num_parameters].
        """
        self._config = config
        self._fetch = fetch
        self._take = take
        self.version = -1
        self.kickstarting_weight = np.zeros(
            (len(config.tasks), config.max_teachers), np.float32
        )
        self._first_version = -1
        self._opened_unrolls = 0
        # Of one policy, where acting and learning take turns.
        self._unrolls_of_turn = 0

    @property
    def are_waited_for(self) -> bool:
        """Whether `wait` fetches them: otherwise somebody has to poll."""
        return self._config.lockstep or self._config.synchronous

    @property
    def turn_is_over(self) -> bool:
        """Whether no unroll may be begun before newer parameters are here.

        An actor's turn is its share of a window.
        """
        config = self._config
        return (
            config.synchronous
            and not config.lockstep
            and self._unrolls_of_turn >= config.unrolls_of_window
        )

    def count_opened_unroll(self) -> None:
        """Says that an unroll was begun, which sends the one before it."""
        self._opened_unrolls += 1
        self._unrolls_of_turn += 1

    def poll(self) -> bool:
        """Returns whether there are newer parameters, which have then been taken."""
        answer = self._fetch(self.version)
        if answer is None:
            return False
        version, flat, weight = answer
        self._take(flat)
        self.kickstarting_weight = weight
        if self._first_version < 0:
            self._first_version = version
        self.version = version
        return True

    def wait_for_first(self, stop: threading.Event) -> None:
        """Waits for the learner's first parameters, or for `stop`."""
        while not stop.is_set() and not self.poll():
            stop.wait(_POLL_SECONDS)

    def wait(self, stop: threading.Event) -> float:
        """Waits where it is the learner's turn, or until `stop`.

        In lockstep for the parameters that all unrolls sent so far lead to; where
        acting and learning take turns and this one is over, for what has been learned
        from it, but for half a minute at most.

        Returns:
          the seconds waited for the end of a turn.
        """
        if self._config.lockstep:
            self._wait_for_all(stop)
        elif self.turn_is_over:
            return self._wait_for_turn(stop)
        return 0.0

    def _wait_for_all(self, stop: threading.Event) -> None:
        config = self._config
        windows = self._opened_unrolls // (config.batch_size * config.window_batches)
        updates = windows * config.updates_per_window
        while self.version < self._first_version + updates:
            if stop.wait(_LOCKSTEP_POLL_SECONDS):
                return
            self.poll()

    def _wait_for_turn(self, stop: threading.Event) -> float:
        start = time.monotonic()
        period = max(_TURN_POLL_SECONDS, parameters_period(self._config) / 4)
        while not self.poll():
            if stop.wait(period) or time.monotonic() - start > _TURN_SECONDS:
                break
        self._unrolls_of_turn = 0
        return time.monotonic() - start
