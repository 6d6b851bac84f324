"""Keeps a node going that fails: its work begins again, in the same process.

A learner goes on from its newest sound checkpoint, a population's controller from its
events; teacher servers, actors, evaluators and the queue hold nothing that would not
come again. For processes that are killed there is the keeper.
"""

import math
import os
import threading
import time
from collections.abc import Callable

from absl import logging

from kickstarting.config import run as config_lib
from launch.monitoring import achievements, node_logs
from launch.processes import restarts

# Ends in a row, of lives that did nothing that lasts, after which no other try would
# fare better.
MOST_ENDS = 6

# Before another begins; doubles with each end, up to a longest.
_FIRST_DELAY_SECONDS = 0.5
_LONGEST_DELAY_SECONDS = 30.0
# Where nobody knows what a node does for good: who lived so long did not end for what
# ended the one before.
_LONG_LIFE_SECONDS = 300.0


def is_wanted(config: config_lib.Config) -> bool:
    """Whether a node that fails begins again, and does not end the run.

    Not in lockstep, where actors wait for the unrolls that it would lose.

    Args:
      config: of the run, or of a population's member.
    """
    return not config.lockstep


class Patience:
    """How long to wait before another begins, and when to give up."""

    def __init__(
        self,
        most_ends: float = math.inf,
        done: achievements.Done | None = None,
        least: float = 1.0,
    ) -> None:
        """Begins the first life.

        Args:
          most_ends: of lives in a row that did too little, after which nothing begins
            again.
          done: what the node has done for good; None: a long life is taken for that.
          least: how much more of it makes a new beginning.
        """
        self._most_ends = most_ends
        self._done = done
        self._least = least
        self._ends = 0
        self._reached = done() if done else 0.0
        self._began = time.monotonic()

    def after_end(self) -> float | None:
        """Returns the seconds to wait, or None: no more."""
        if self._has_done_something():
            self._ends = 0
        self._ends += 1
        if self._ends >= self._most_ends:
            return None
        return min(_FIRST_DELAY_SECONDS * 2 ** (self._ends - 1), _LONGEST_DELAY_SECONDS)

    def _has_done_something(self) -> bool:
        if self._done is None:
            return time.monotonic() - self._began > _LONG_LIFE_SECONDS
        done = self._done()
        if done < self._reached + self._least:
            return False
        self._reached = done
        return True

    def begin(self) -> None:
        """Begins another life."""
        self._began = time.monotonic()


def keep_going(
    logdir: str,
    node: str,
    work: Callable[[], None],
    stop: threading.Event,
    hopeless: tuple[type[Exception], ...] = (),
    done: achievements.Done | None = None,
    least: float = 1.0,
) -> None:
    """Does the work, and does it again when it fails, after a while.

    Args:
      logdir: the run's or the member's folder, where each failure is recorded.
      node: e.g. 'actor/0'.
      work: of the node; returns when it is done or the program stops.
      stop: set when the program ends.
      hopeless: failures that no other try would be spared.
      done: see Patience.
      least: see Patience.

    Raises:
      Exception: the work's, when the program stops, or it has failed MOST_ENDS times in
        a row.
    """
    patience = Patience(MOST_ENDS, done, least)
    while not stop.is_set():
        try:
            with node_logs.work_of(node):
                work()
            return
        except hopeless:
            raise
        except Exception as error:
            delay = patience.after_end()
            if stop.is_set() or delay is None:
                raise
            logging.warning(
                "%s's %s failed and begins again: %r",
                os.path.basename(logdir),
                node,
                error,
            )
            restarts.record(logdir, node, repr(error))
        stop.wait(delay)
        patience.begin()
