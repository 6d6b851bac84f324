"""Forks the workers of a batch, so that they share what all of them import.

Started by forks.Forks as `python -m kickstarting.environments.stepping.fork_server
ORDERS MEMORY MODULE...`, with the descriptors of a socket and of the shared memory. An
order is a worker's mark (see guardian.py) and, with it, the worker's end of its socket.
The server ends when nobody can give orders any more and its forks have ended.
"""

import contextlib
import ctypes
import gc
import importlib
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any

from kickstarting.environments.stepping import guardian, shared_memory, worker_process

_MAX_MARK_BYTES = 256


def serve(orders: socket.socket) -> socket.socket | None:
    """Forks for each order, and then waits for the forks to end.

    Args:
      orders: socket of them.

    Returns:
      in a fork, its socket; in the server None.
    """
    signal.signal(signal.SIGCHLD, _clear_up)
    while True:
        mark, descriptors, *_ = socket.recv_fds(
            orders, _MAX_MARK_BYTES, 1, socket.MSG_CMSG_CLOEXEC
        )
        if not mark:
            break
        (descriptor,) = descriptors
        if os.fork() == 0:
            orders.close()
            return _begin(mark, descriptor)
        os.close(descriptor)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            _clear_up()
    return None


def _clear_up(*_: Any) -> None:
    """Kills what is left of the groups of forks that have ended, and lets them go."""
    with contextlib.suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG):
            # Until it is let go, its id can be no other group's.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(ended.si_pid, signal.SIGKILL)
            os.waitpid(ended.si_pid, 0)


def _begin(mark: bytes, descriptor: int) -> socket.socket:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    _take_mark(mark)
    return socket.socket(fileno=shared_memory.above_streams(descriptor))


def _take_mark(mark: bytes) -> None:
    """Changes this process's mark, also where /proc shows it, to one as long."""
    # There it is the memory that the process began with, which each fork copies.
    getenv = ctypes.CDLL(None).getenv
    getenv.argtypes, getenv.restype = [ctypes.c_char_p], ctypes.c_void_p
    ctypes.memmove(getenv(guardian.VARIABLE.encode()), mark, len(mark))
    os.environ[guardian.VARIABLE] = mark.decode()


def _preload(modules: Sequence[str]) -> None:
    for module in modules:
        # A worker that needs it says what is wrong with it.
        with contextlib.suppress(Exception, SystemExit):
            importlib.import_module(module)
    if modules and len(os.listdir("/proc/self/task")) > 1:
        # A fork would have their locks without the threads that open them.
        os.execv(sys.executable, sys.orig_argv[: -len(modules)])
    # The collector would write to all that the forks share.
    gc.collect()
    gc.freeze()


def main(arguments: list[str]) -> None:
    """Serves; and is, in each of its forks, a worker."""
    # Ctrl-C, and the end of a terminal, go to the parent, which ends its workers.
    # ViZDoom installs a handler of its own, which a blocked signal never reaches.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    orders, memory = map(int, arguments[1:3])
    _preload(arguments[3:])
    connection = serve(socket.socket(fileno=orders))
    if connection is not None:
        worker_process.main(connection, memory)


if __name__ == "__main__":
    main(sys.argv)
