"""What environments' processes write to standard error: each line once, uncoloured.

A library that warns where it is imported does so in every worker, and a level that says
something at each reset says it for ever.
"""

import contextlib
import os
import re
import socket
import struct
import threading
from collections.abc import Mapping

from kickstarting.environments.stepping import shared_memory

# After so many different lines nothing is told any more.
MOST_LINES = 10_000

_CHUNK_BYTES = 65536
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_STANDARD_ERROR = 2
# unix(7), struct ucred: process, user and group.
_SENDER = struct.Struct("3i")

_told: set[str] = set()
_telling = threading.Lock()


def tell(line: str) -> None:
    """Writes a line to this process's standard error, if it has not been told yet.

    Args:
      line: of any process; empty ones are left out.
    """
    plain = _COLOUR.sub("", line).strip()
    with _telling:
        if not plain or plain in _told or len(_told) > MOST_LINES:
            return
        _told.add(plain)
        if len(_told) > MOST_LINES:
            plain = "What environments say further is left out"
    # Where nobody reads it, that is no reason to end anything.
    with contextlib.suppress(OSError):
        os.write(_STANDARD_ERROR, f"{plain}\n".encode())


class Listener:
    """Has a descriptor for processes to write to, and tells each line once.

    Attributes:
      descriptor: a process that is started with it as its standard error keeps it open.
    """

    def __init__(self) -> None:
        """Begins to listen."""
        # A pipe would not tell who wrote what, and lines are written piece by piece.
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        number, self.descriptor = (
            shared_memory.above_streams(end.detach()) for end in ends
        )
        reader = socket.socket(fileno=number)
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        threading.Thread(
            target=_listen, args=(reader,), name="environments' errors", daemon=True
        ).start()

    def close(self) -> None:
        """Closes this process's end; what others write still is told."""
        os.close(self.descriptor)


def _listen(reader: socket.socket) -> None:
    unfinished: dict[int, bytes] = {}
    with reader:
        while True:
            chunk, told, _, _ = reader.recvmsg(
                _CHUNK_BYTES, socket.CMSG_SPACE(_SENDER.size)
            )
            if not chunk:
                break
            (_, _, sender), *_ = told
            process, _, _ = _SENDER.unpack(sender)
            *lines, rest = (unfinished.pop(process, b"") + chunk).split(b"\n")
            for line in lines:
                tell(line.decode(errors="replace"))
            if rest:
                unfinished[process] = rest
            if sum(map(len, unfinished.values())) > _CHUNK_BYTES:
                _tell_all(unfinished)
                unfinished = {}
    _tell_all(unfinished)


def _tell_all(unfinished: Mapping[int, bytes]) -> None:
    for line in unfinished.values():
        tell(line.decode(errors="replace"))
