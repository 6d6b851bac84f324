"""Writes to files that are whole or not done at all, also where the disk is full."""

import contextlib
import os
from collections.abc import Iterable


class RunFilesError(Exception):
    """A file of the run cannot be read or written; its message is one line."""


class AppendedFile:
    """A file that is only appended to, unbuffered; each write is whole or undone."""

    def __init__(self, path: str) -> None:
        """Opens the file, which is made where it is missing.

        Args:
          path: of the file.

        Raises:
          RunFilesError: it cannot be written.
        """
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        except OSError as error:
            raise unwritable(path, error) from error

    def write(self, data: bytes) -> None:
        """Appends; raises RunFilesError where there is no room for all of it."""
        size = os.fstat(self._descriptor).st_size
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            # Where the system has made the disk read-only, nothing was written either.
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, size)
            raise unwritable(self._path, error) from error

    def cut(self, size: int) -> None:
        """Drops what is beyond `size` bytes; raises RunFilesError where it cannot."""
        try:
            os.ftruncate(self._descriptor, size)
        except OSError as error:
            raise unwritable(self._path, error) from error

    def close(self) -> None:
        """Closes the file; safe to call twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def replace(path: str, parts: Iterable[bytes]) -> None:
    """Writes a file so that at any moment it is either the old or the new one.

    Args:
      path: of the file.
      parts: of its content, taken one by one.

    Raises:
      RunFilesError: it cannot be written.
    """
    temporary = f"{path}.new"
    try:
        with open(temporary, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise unwritable(path, error) from error


def unwritable(path: str, error: OSError) -> RunFilesError:
    """Returns what is to be raised for a file that cannot be written."""
    return RunFilesError(
        f"cannot write {path}: {error.strerror or error} (free some space, or choose "
        "another folder)"
    )
