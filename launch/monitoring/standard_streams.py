"""Standard streams that are there, and whose faults end nothing.

A process may be begun without them (by systemd, by cron, by `>&-`), a terminal may lack
letters, and the pipe, the disk or the terminal behind them may take nothing more. None
of this must end a training, or lose what was computed.

Nothing heavy is loaded here: what is loaded may open files, which take the numbers of
streams that are missing.
"""

import io
import os
import sys
from typing import Any, TextIO

_OUTPUTS = {"stdout": 1, "stderr": 2}


class _Forgiving(io.RawIOBase):
    """Writes to a descriptor; what it does not take is dropped."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, content: bytes) -> int:  # type: ignore[override]
        try:
            return os.write(self._descriptor, content)
        except OSError:
            return len(content)


def make_safe() -> None:
    """Makes this process's standard streams so; a second time changes nothing."""
    for descriptor in (0, *_OUTPUTS.values()):
        _open_if_missing(descriptor)
    for name, descriptor in _OUTPUTS.items():
        stream = getattr(sys, name)
        buffer = getattr(stream, "buffer", None)
        if isinstance(getattr(buffer, "raw", None), _Forgiving):
            continue
        if stream is None:
            # Whatever has its number by now may be anything.
            descriptor = os.open(os.devnull, os.O_WRONLY)
        else:
            stream.flush()
        setattr(sys, name, forgiving(descriptor, stream))


def _open_if_missing(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, descriptor)
        if nowhere != descriptor:
            os.close(nowhere)
        os.set_inheritable(descriptor, True)


def forgiving(descriptor: int, before: TextIO | None) -> TextIO:
    """Returns a stream of text that drops what cannot be written, or has no letter.

    Args:
      descriptor: where it writes.
      before: what it takes the place of, and is otherwise like.
    """
    raw: Any = _Forgiving(descriptor)
    # With PYTHONUNBUFFERED, as containers have it, nothing but this says so; the bytes
    # are buffered here all the same.
    unbuffered = getattr(before, "write_through", False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding if before else "utf-8",
        errors="replace",
        line_buffering=unbuffered or getattr(before, "line_buffering", False),
        write_through=unbuffered,
    )
