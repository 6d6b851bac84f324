"""Remembers the signal by which the user or the system stops a run.

Who stops whom: docs/how_it_works.md.
"""

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence

# From a stop to a kill: a big checkpoint on a slow disk takes its time.
SECONDS_TO_STOP = 30

_STANDARD_STREAMS = (0, 1, 2)


class _Signals:
    received: int | None = None
    interrupts = 0
    terminals: Sequence[int] = ()

    @classmethod
    def remember(cls, number: int, frame: object) -> None:
        del frame
        cls.received = cls.received or number
        if number == signal.SIGINT:
            cls.interrupts += 1
            if cls.interrupts == 1:
                print("\nStopping with a last checkpoint. Ctrl-C again: without.")

    @classmethod
    def hang_up(cls, number: int, frame: object) -> None:
        del frame
        cls.received = cls.received or number
        # Whatever is written to a terminal that is gone fails, and must not be what
        # ends the run.
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in cls.terminals:
            os.dup2(nowhere, stream)
        os.close(nowhere)
        # What launches knows no other signal.
        signal.raise_signal(signal.SIGTERM)


def received() -> int | None:
    """Returns the first signal that was remembered."""
    return _Signals.received


def is_urgent() -> bool:
    """Returns whether Ctrl-C came again: the last checkpoint is not waited for."""
    return _Signals.interrupts > 1


def by_the_terminal_s_end() -> Sequence[int]:
    """Returns SIGHUP, or nothing where this was started to outlive it, as by nohup."""
    return () if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else (signal.SIGHUP,)


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """Remembers SIGINT and SIGTERM within; who launches acts on them.

    A terminal that goes, by its window or its network, is as SIGTERM.
    """
    # Once it is gone they do not tell any more.
    _Signals.terminals = [each for each in _STANDARD_STREAMS if os.isatty(each)]
    handlers = {
        signal.SIGINT: _Signals.remember,
        signal.SIGTERM: _Signals.remember,
        **dict.fromkeys(by_the_terminal_s_end(), _Signals.hang_up),
    }
    before = {
        number: signal.signal(number, handler) for number, handler in handlers.items()
    }
    try:
        yield
    finally:
        # Launchpad's handlers would wait for nodes that have ended.
        for number, handler in before.items():
            signal.signal(number, handler)
