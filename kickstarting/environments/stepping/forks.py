"""The parent's side of fork_server.py: has workers forked, and ends them.

The server is never waited for: an import in it may hang. One that does is replaced, as
is one that has died; the workers that it has forked go on.
"""

import contextlib
import dataclasses
import socket
import subprocess
from collections.abc import Sequence

from kickstarting.environments.stepping import family, shared_memory, told_once

_SERVER = "kickstarting.environments.stepping.fork_server"

# Orders that wait in the server's socket. It holds a few hundred, but a user's sockets
# together no more descriptors than one process may have.
_MOST_ORDERS = 16


@dataclasses.dataclass(eq=False)
class Fork:
    """A process that is, or will be, forked.

    Attributes:
      connection: socket (SOCK_SEQPACKET, without blocking) to it; its end is the end of
        the process, which may never have begun.
      mark: see family.Family.mark.
      server: that was told to fork it; None before.
      process_id: 0 before it has begun.
      began: see guardian.began.
    """

    connection: socket.socket
    mark: str
    server: subprocess.Popen | None = None
    process_id: int = 0
    began: int = 0


class Forks:
    """Has processes forked and ends them; for one thread."""

    def __init__(self, memory: int, preloaded: Sequence[str]) -> None:
        """Starts nothing yet.

        Args:
          memory: file descriptor that each fork has.
          preloaded: modules that the server imports; none that starts a thread.
        """
        self._memory = memory
        self._preloaded = tuple(preloaded)
        self._family = family.Family()
        self._errors: told_once.Listener | None = None
        self._server: subprocess.Popen | None = None
        self._orders: socket.socket | None = None
        # Not ordered yet, with their ends of the connections.
        self._waiting: dict[Fork, socket.socket] = {}
        self._ordered: set[Fork] = set()

    def start(self, message: str) -> Fork:
        """Has a process forked, which finds the message on its connection."""
        connection, other_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.setblocking(False)
        connection.send(message.encode())
        fork = Fork(connection, self._family.mark())
        self._waiting[fork] = other_end
        self._order()
        return fork

    def has_begun(self, fork: Fork, process_id: int, began: int) -> None:
        """Is told what a fork has said of itself first of all."""
        fork.process_id, fork.began = process_id, began
        self._ordered.discard(fork)
        self._order()

    def end(self, fork: Fork, hangs: bool = False) -> None:
        """Kills a fork; what it started is killed by now, or in a moment.

        Args:
          fork: which may have ended.
          hangs: whether it was given up; before its beginning, it is its server that
            hangs, and is ended with it.
        """
        fork.connection.close()
        if hangs and not fork.process_id and fork.server is self._server:
            self._end_server()
        self._ordered.discard(fork)
        if fork in self._waiting:
            self._waiting.pop(fork).close()
        self._family.end_fork(fork.mark, fork.process_id, fork.began)

    def close(self) -> None:
        """Ends all forks, and what they started; safe to call twice.

        Those whose connections have been closed have a second to end by themselves.
        """
        for other_end in self._waiting.values():
            other_end.close()
        self._waiting.clear()
        if self._orders is not None:
            self._orders.close()
        self._family.close()
        self._end_server()
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def _order(self) -> None:
        while self._waiting and len(self._ordered) < _MOST_ORDERS:
            fork = next(iter(self._waiting))
            with self._waiting.pop(fork) as other_end:
                if not self._send(fork, other_end):
                    # The server has died.
                    self._end_server()
                    self._send(fork, other_end)
            self._ordered.add(fork)

    def _send(self, fork: Fork, other_end: socket.socket) -> bool:
        if self._server is None:
            self._start_server()
        fork.server = self._server
        assert self._orders is not None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            mark = fork.mark.encode()
            socket.send_fds(self._orders, [mark], [other_end.fileno()])
            return True
        return False

    def _start_server(self) -> None:
        self._orders, other_end = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET
        )
        self._orders.setblocking(False)
        if self._errors is None:
            self._errors = told_once.Listener()
        number = shared_memory.above_streams(other_end.detach())
        with socket.socket(fileno=number):
            self._server = self._family.start(
                *("-m", _SERVER, str(number), str(self._memory), *self._preloaded),
                pass_fds=(number, self._memory),
                stderr=self._errors.descriptor,
            )

    def _end_server(self) -> None:
        if self._server is None:
            return
        assert self._orders is not None
        self._orders.close()
        self._family.end(self._server)
        self._server = None
