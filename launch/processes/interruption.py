"""Lets what is being measured end in order when it is interrupted."""

import contextlib
import dataclasses
import signal
from collections.abc import Iterator
from typing import Any


class StoppedError(Exception):
    """Somebody has ended it; the message is one line.

    Attributes:
      status: the process's exit status.
    """

    def __init__(self, message: str, status: int) -> None:
        """Takes the message and the status."""
        super().__init__(message)
        self.status = status


@dataclasses.dataclass
class Interruption:
    """Whether one has come.

    Attributes:
      status: 128 and the signal's number; 0 as long as none has come.
    """

    status: int = 0

    def has_come(self) -> bool:
        """Returns whether one has come."""
        return self.status > 0


@contextlib.contextmanager
def noticed() -> Iterator[Interruption]:
    """Notices SIGINT and SIGTERM within; a second one does what it did before."""
    interruption = Interruption()
    before: dict[int, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def notice(number: int, frame: object) -> None:
        del frame
        interruption.status = 128 + number
        restore()

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, notice)
    try:
        yield interruption
    finally:
        restore()
