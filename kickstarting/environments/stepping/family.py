"""Processes that end with this one, however it ends, with all that they have started.

They run what others wrote, which may hang where nobody can interrupt it, and may start
processes that it does not end.
"""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import uuid
from typing import Any

from kickstarting.environments.stepping import guardian, run_module

_SINGLE_THREADED = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
_GUARDIAN_SECONDS = 15.0


class Family:
    """Starts processes of Python, each in a session of its own; for one thread."""

    def __init__(self) -> None:
        """Starts nothing yet."""
        self._mark = uuid.uuid4().hex
        self._numbers = itertools.count()
        self._marks: dict[int, str] = {}
        self._guardian: subprocess.Popen | None = None

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen:
        """Starts a process, which reads and writes nothing.

        It can import what this one can, and its numerical libraries have one thread.

        Args:
          *arguments: of Python; '-m' and a module, which is then found where this
            process would find it.
          **options: of subprocess.Popen, in addition.
        """
        if self._guardian is None:
            self._guardian = _start_guardian(self._mark)
        if arguments[0] == "-m":
            arguments = (os.path.abspath(run_module.__file__), *arguments[1:])
        mark = self.mark()
        process = subprocess.Popen(
            (sys.executable, *arguments),
            **{
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.DEVNULL,
                "start_new_session": True,
                "env": {**_variables(), guardian.VARIABLE: mark},
                **options,
            },
        )
        self._marks[process.pid] = mark
        return process

    def mark(self) -> str:
        """Returns a mark for a process that one of these forks; all are as long."""
        return f"{self._mark}.{next(self._numbers):09}."

    def end(self, process: subprocess.Popen) -> None:
        """Kills a process; what it started is killed by now, or in a moment."""
        # The group holds most of what it started, such as ViZDoom's engine.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._order(self._marks.pop(process.pid))

    def end_fork(self, mark: str, process_id: int, began: int) -> None:
        """Kills a process that one of these has forked, if it still lives.

        What it started is killed by now, or in a moment.

        Args:
          mark: that it has given itself.
          process_id: its own; 0 if that is not known.
          began: see guardian.began.
        """
        with contextlib.suppress(OSError):
            # The id may be another's by now.
            if process_id and guardian.began(process_id) == began:
                os.killpg(process_id, signal.SIGKILL)
        self._order(mark)

    def close(self) -> None:
        """Ends every process with all that it has started; safe to call twice.

        Those that still live have a second to end by themselves.
        """
        if self._guardian is None:
            return
        assert self._guardian.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._guardian.stdin.close()
        try:
            self._guardian.wait(_GUARDIAN_SECONDS)
        except subprocess.TimeoutExpired:
            self._guardian.kill()
            self._guardian.wait()
        self._guardian = None

    def _order(self, mark: str) -> None:
        if self._guardian is None:
            return
        assert self._guardian.stdin is not None
        # Without it, what has left its group lives on.
        with contextlib.suppress(BrokenPipeError):
            self._guardian.stdin.write(f"{mark}\n".encode())


def _start_guardian(mark: str) -> subprocess.Popen:
    # As light as Python can be; and Ctrl-C of a terminal is not for it.
    return subprocess.Popen(
        (sys.executable, "-I", "-S", os.path.abspath(guardian.__file__), mark),
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _variables() -> dict[str, str]:
    """Returns the environment's variables of a process that loads an environment."""
    # It imports what this one can import, however this one was started.
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return {
        **os.environ,
        **dict.fromkeys(_SINGLE_THREADED, "1"),
        "PYTHONPATH": path,
    }
