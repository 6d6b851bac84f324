"""Remembers the signal by which the user or the system stops a run.

Who stops whom: docs/how_it_works.md.
"""

import contextlib
import signal
from collections.abc import Iterator

# From a stop to a kill: a big checkpoint on a slow disk takes its time.
SECONDS_TO_STOP = 30


class _Signals:
    received: int | None = None
    interrupts = 0

    @classmethod
    def remember(cls, number: int, frame: object) -> None:
        del frame
        cls.received = cls.received or number
        if number == signal.SIGINT:
            cls.interrupts += 1
            if cls.interrupts == 1:
                print("\nStopping with a last checkpoint. Ctrl-C again: without.")


def received() -> int | None:
    """Returns the first signal that was remembered."""
    return _Signals.received


def is_urgent() -> bool:
    """Returns whether Ctrl-C came again: the last checkpoint is not waited for."""
    return _Signals.interrupts > 1


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """Remembers SIGINT and SIGTERM within; who launches acts on them."""
    before = {
        number: signal.signal(number, _Signals.remember)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        # Launchpad's handlers would wait for nodes that have ended.
        for number, handler in before.items():
            signal.signal(number, handler)
