"""Locks in a run's folder: whoever trains there is alone.

They are POSIX record locks, which hold between machines that share a folder by NFS, and
which the kernel takes back from a process that ends, however it ends. They are of the
process: a child that is forked has none, and another one of the same process is refused
by what this module remembers.
"""

import contextlib
import datetime
import errno
import fcntl
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator

from absl import logging

# The program of many processes, and the one of them that learns: each has its own.
PROGRAM, LEARNER = "program", "learner"

_SUFFIX = ".lock"
_POLL_SECONDS = 0.2
_MOST_BYTES = 4096
# struct flock (man 2 fcntl): type, whence, start, length, process.
_RECORD = struct.Struct("@hhqqi4x")
# Of file systems without locks: there nobody can be told from anybody else.
_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class FolderInUseError(RuntimeError):
    """Somebody else trains in a folder; the message is one line."""


_HOLDING = threading.Lock()
# Descriptors by path. To close any descriptor of a file gives back its lock.
_held_files: dict[str, int] = {}


def hold(folder: str, part: str, seconds: float = 0.0) -> None:
    """Takes a lock, which this process has until `release`, or until it ends.

    Args:
      folder: of the run; made if needed.
      part: PROGRAM or LEARNER.
      seconds: for which whoever has it is waited for.

    Raises:
      FolderInUseError: another process still has it, or this one already.
      OSError: the folder cannot be written to.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _take(folder, part)
        except FolderInUseError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)


def is_held(folder: str, part: str) -> bool:
    """Returns whether any process has a lock now; False where there are no locks.

    Args:
      folder: of the run.
      part: PROGRAM or LEARNER.
    """
    path = _path(folder, part)
    with _HOLDING:
        if path in _held_files:
            return True
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            wanted = _RECORD.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            found = fcntl.fcntl(file, fcntl.F_GETLK, wanted)
            return bool(_RECORD.unpack(found)[0] != fcntl.F_UNLCK)
        except OSError:
            return False
        finally:
            os.close(file)


def release(folder: str, part: str) -> None:
    """Gives back a lock that this process holds."""
    with _HOLDING:
        os.close(_held_files.pop(_path(folder, part)))


@contextlib.contextmanager
def held(folder: str, part: str) -> Iterator[None]:
    """Has a lock within; see `hold`."""
    hold(folder, part)
    try:
        yield
    finally:
        release(folder, part)


def _take(folder: str, part: str) -> None:
    os.makedirs(folder, exist_ok=True)
    path = _path(folder, part)
    with _HOLDING:
        if path in _held_files:
            raise _in_use(folder, "this process")
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _WITHOUT_LOCKS:
                logging.warning("%s has no locks: is nobody else there?", folder)
            else:
                holder = os.pread(file, _MOST_BYTES, 0)
                os.close(file)
                if isinstance(error, BlockingIOError | PermissionError):
                    raise _in_use(folder, _described(holder)) from None
                raise
        holder = json.dumps(
            {
                "host": socket.gethostname(),
                "process": os.getpid(),
                "since": datetime.datetime.now().astimezone().isoformat(" ", "seconds"),
            }
        ).encode()
        # A full disk may keep its holder's name from it.
        with contextlib.suppress(OSError):
            os.ftruncate(file, 0)
            os.pwrite(file, holder, 0)
        _held_files[path] = file


def _path(folder: str, part: str) -> str:
    return os.path.join(os.path.realpath(folder), f"{part}{_SUFFIX}")


def _in_use(folder: str, by: str) -> FolderInUseError:
    return FolderInUseError(
        f"{folder} is in use by {by}: choose another --logdir or --seed, or stop that "
        "run first"
    )


def _described(holder: bytes) -> str:
    """Says who holds a lock, as far as that was written down."""
    try:
        told = json.loads(holder)
        process, host, since = (told[name] for name in ("process", "host", "since"))
    except (ValueError, TypeError, KeyError):
        return "another run"
    return f"process {process} of {host}, since {since}"
