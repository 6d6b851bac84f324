"""A teacher server of this process, as `replicas` calls those of others."""

from concurrent import futures
from typing import Any

from kickstarting.teaching.server import TeacherServer

# Unrolls that may wait for a teacher at once: each blocks a thread.
_THREADS = 64


class LocalReplica:
    """A client of a server in the same process.

    Attributes:
      futures: this object, whose calls return at once, as a Courier client's do.
    """

    def __init__(self, server: TeacherServer) -> None:
        """Takes the server, whose `run` goes on in a thread."""
        self._server = server
        self._pool = futures.ThreadPoolExecutor(_THREADS, "teacher_call")
        self.futures = self

    def label(self, *arguments: Any) -> futures.Future:
        """Returns the future of TeacherServer.label."""
        return self._pool.submit(self._server.label, *arguments)

    def close(self) -> None:
        """Takes no calls any more; those that wait end with the server."""
        self._pool.shutdown(wait=False, cancel_futures=True)
