"""Keeps a node going whose process is killed: a child does the work and is replaced.

Launchpad ends a program when a node's process dies. A teacher server holds nothing that
its teachers' files do not hold, so that another one can take its place, at the same
address; meanwhile actors go on without it (kickstarting.remote_teacher).
"""

import contextlib
import ctypes
import os
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1
# Before a child is replaced; doubles with each death, up to a longest.
_FIRST_DELAY_SECONDS = 0.5
_LONGEST_DELAY_SECONDS = 30.0


def die_with_parent(parent: int) -> None:
    """Lets the system send SIGTERM to this process when its parent ends.

    Args:
      parent: process id; where it has ended already, this process ends.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("the parent has ended")


def return_in_child(name: str) -> None:
    """Returns in a new process that is to do the work; this one looks after it.

    A child that a signal kills is replaced, and this function returns in the next one.
    SIGTERM is passed on, and then a child's end is the end. A child that ends by itself
    ends this process with its status.

    Args:
      name: of the node, for the log.
    """
    looking_after = _Parent(name)
    delay = _FIRST_DELAY_SECONDS
    while True:
        supervisor = os.getpid()
        child = os.fork()
        if not child:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            die_with_parent(supervisor)
            return
        looking_after.wait(child)
        time.sleep(delay)
        delay = min(2 * delay, _LONGEST_DELAY_SECONDS)


class _Parent:
    """The process that waits."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._child = 0
        self._stopping = False
        signal.signal(signal.SIGTERM, self._stop)
        # Ctrl-C reaches the child as well, and the launcher, which sends SIGTERM.
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait(self, child: int) -> None:
        """Returns when a signal has killed the child; ends with it otherwise."""
        self._child = child
        if self._stopping:
            self._pass_on()
        _, status = os.waitpid(child, 0)
        self._child = 0
        if self._stopping or not os.WIFSIGNALED(status):
            os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 0)
        print(
            f"{self._name} was killed by signal {os.WTERMSIG(status)}: another process "
            "takes its place",
            file=sys.stderr,
            flush=True,
        )

    def _stop(self, number: int, frame: object) -> None:
        del number, frame
        self._stopping = True
        if not self._child:
            os._exit(0)
        self._pass_on()

    def _pass_on(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child, signal.SIGTERM)
