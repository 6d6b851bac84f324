"""Keeps a node going whose process is killed: another one does its work.

Launchpad ends a program when a node's process dies. So the process that it knows only
waits, as the keeper, for a child that does the work. The next child listens at the same
address, so that clients come back by themselves.
"""

import contextlib
import ctypes
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from absl import logging

from launch.monitoring import achievements
from launch.processes import restarts, revival

_PR_SET_PDEATHSIG = 1


class _Process:
    """What this process is.

    Attributes:
      predecessors: that were killed.
    """

    predecessors = 0


def predecessors() -> int:
    """Returns how many processes were killed whose place this one has taken."""
    return _Process.predecessors


def die_with_parent(parent: int) -> None:
    """Lets the system send SIGTERM to this process when its parent ends.

    Args:
      parent: process id; where it has ended already, this process ends.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("the parent has ended")


def keep(
    logdir: str,
    node: str,
    work: Callable[[], None],
    most_ends: float = math.inf,
    done: achievements.Done | None = None,
) -> NoReturn:
    """Does the work in a child, and in another one where that is killed.

    A child that a signal kills, or asks to end, is replaced. SIGTERM to this process is
    passed on, and then the child's end is the end. A child that fails ends this process
    with its status. Who else stops whom: docs/how_it_works.md.

    Args:
      logdir: the run's folder, where each end is recorded.
      node: e.g. 'actor/0'.
      work: of the node; called in each child, which ends after it. Threads that this
        process has begun are not in the child.
      most_ends: children in a row, killed before they did anything that lasts, after
        which this process ends as well, with status 1.
      done: see revival.Patience.
    """
    keeper = _Keeper()
    patience = revival.Patience(most_ends, done)
    while True:
        code = keeper.wait(_start(work))
        if keeper.is_stopping or code > 0:
            # A child that had to be killed after a stop is no failure.
            os._exit(max(code, 0))
        end = _end(code)
        # A learner that is done ends the program, and this process, in a moment.
        delay = patience.after_end()
        if delay is None:
            sys.exit(f"{node} {end} again and again")
        time.sleep(delay)
        logging.warning("%s %s: another process takes its place", node, end)
        restarts.record(logdir, node, end)
        patience.begin()
        _Process.predecessors += 1


def _start(work: Callable[[], None]) -> int:
    """Returns the process id of a child that does the work."""
    keeper = os.getpid()
    child = os.fork()
    if child:
        return child
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    die_with_parent(keeper)
    work()
    sys.exit()


def _end(code: int) -> str:
    # Launchpad hurries a node that was asked to end by an alarm, which may find it
    # where no handler is left.
    if code in (0, -signal.SIGALRM):
        return "was asked to end"
    return f"was killed by signal {-code}"


class _Keeper:
    """The process that waits, and passes SIGTERM on.

    Attributes:
      is_stopping: whether SIGTERM has come.
    """

    def __init__(self) -> None:
        self._child = 0
        self.is_stopping = False
        signal.signal(signal.SIGTERM, self._stop)
        # Ctrl-C reaches the child as well, and the launcher, which sends SIGTERM.
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait(self, child: int) -> int:
        """Returns the child's exit status, or minus the signal that killed it."""
        self._child = child
        if self.is_stopping:
            self._pass_on()
        _, status = os.waitpid(child, 0)
        self._child = 0
        return os.waitstatus_to_exitcode(status)

    def _stop(self, number: int, frame: object) -> None:
        del number, frame
        self.is_stopping = True
        if not self._child:
            os._exit(0)
        self._pass_on()

    def _pass_on(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child, signal.SIGTERM)
