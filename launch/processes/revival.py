"""Keeps a node going that fails, or whose process is killed.

Launchpad ends a program when a node's process dies. Here another process takes its
place at the same address, so that clients come back by themselves. A learner goes on
from its newest sound checkpoint, a population's controller from its events; teacher
servers, actors, evaluators and the queue hold nothing that would not come again.
"""

import contextlib
import ctypes
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from absl import logging

from kickstarting.config import run as config_lib
from launch.monitoring import node_logs
from launch.processes import restarts

# Ends in a row, within a short time each, after which no other try would fare better.
MOST_ENDS = 6

_PR_SET_PDEATHSIG = 1
# Before another begins; doubles with each end, up to a longest.
_FIRST_DELAY_SECONDS = 0.5
_LONGEST_DELAY_SECONDS = 30.0
# Who lived so long did not end for what ended the one before.
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

    def __init__(self, most_ends: float = math.inf) -> None:
        """Begins the first life.

        Args:
          most_ends: of short lives in a row, after which nothing begins again.
        """
        self._most_ends = most_ends
        self._ends = 0
        self._began = time.monotonic()

    def after_end(self) -> float | None:
        """Returns the seconds to wait, or None: no more."""
        if time.monotonic() - self._began > _LONG_LIFE_SECONDS:
            self._ends = 0
        self._ends += 1
        if self._ends >= self._most_ends:
            return None
        return min(_FIRST_DELAY_SECONDS * 2 ** (self._ends - 1), _LONGEST_DELAY_SECONDS)

    def begin(self) -> None:
        """Begins another life."""
        self._began = time.monotonic()


class _Process:
    """What this process is.

    Attributes:
      predecessors: that were killed.
    """

    predecessors = 0


def predecessors() -> int:
    """Returns how many processes were killed whose place this one has taken."""
    return _Process.predecessors


def keep_going(
    logdir: str,
    node: str,
    work: Callable[[], None],
    stop: threading.Event,
    hopeless: tuple[type[Exception], ...] = (),
) -> None:
    """Does the work, and does it again when it fails, after a while.

    Args:
      logdir: the run's or the member's folder, where each failure is recorded.
      node: e.g. 'actor/0'.
      work: of the node; returns when it is done or the program stops.
      stop: set when the program ends.
      hopeless: failures that no other try would be spared.

    Raises:
      Exception: the work's, when the program stops, or it has failed MOST_ENDS times,
        within a short time each.
    """
    patience = Patience(MOST_ENDS)
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


def die_with_parent(parent: int) -> None:
    """Lets the system send SIGTERM to this process when its parent ends.

    Args:
      parent: process id; where it has ended already, this process ends.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("the parent has ended")


def return_in_child(logdir: str, node: str, most_ends: float = math.inf) -> None:
    """Returns in a new process that is to do the work; this one looks after it.

    A child that a signal kills, or asks to end, is replaced, and this function returns
    in the next one. SIGTERM is passed on, and then a child's end is the end. A child
    that fails ends this process with its status.

    Args:
      logdir: the run's folder, where each end is recorded.
      node: e.g. 'actor/0'.
      most_ends: children in a row, killed within a short time each, after which this
        process ends as well, with status 1.
    """
    looking_after = _Parent()
    patience = Patience(most_ends)
    while True:
        supervisor = os.getpid()
        child = os.fork()
        if not child:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            die_with_parent(supervisor)
            return
        end = looking_after.wait(child)
        # A learner that is done ends the program, and this process, in a moment.
        delay = patience.after_end()
        if delay is None:
            sys.exit(f"{node} {end} again and again")
        time.sleep(delay)
        logging.warning("%s %s: another process takes its place", node, end)
        restarts.record(logdir, node, end)
        patience.begin()
        _Process.predecessors += 1


class _Parent:
    """The process that waits."""

    def __init__(self) -> None:
        self._child = 0
        self._stopping = False
        signal.signal(signal.SIGTERM, self._stop)
        # Ctrl-C reaches the child as well, and the launcher, which sends SIGTERM.
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait(self, child: int) -> str:
        """Returns how the child was ended; ends with it where it failed."""
        self._child = child
        if self._stopping:
            self._pass_on()
        _, status = os.waitpid(child, 0)
        self._child = 0
        # Launchpad hurries a node that was asked to end by an alarm, which may find it
        # where no handler is left.
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGALRM:
            if self._stopping:
                os._exit(0)
            return f"was killed by signal {os.WTERMSIG(status)}"
        if self._stopping or os.WEXITSTATUS(status):
            os._exit(os.WEXITSTATUS(status))
        return "was asked to end"

    def _stop(self, number: int, frame: object) -> None:
        del number, frame
        self._stopping = True
        if not self._child:
            os._exit(0)
        self._pass_on()

    def _pass_on(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child, signal.SIGTERM)
