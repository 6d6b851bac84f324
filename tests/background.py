"""Threads beside a test, which end with it.

A thread that is still in compiled code when the interpreter ends takes the process down
with it: every test has passed and the process aborts.
"""

import threading
from collections.abc import Callable

from absl.testing import absltest

_SECONDS = 60


def start(
    test: absltest.TestCase,
    body: Callable[[threading.Event], None],
    stop: threading.Event | None = None,
) -> threading.Event:
    """Runs `body(stop)` in a thread that is told to stop, and waited for, at the end.

    Args:
      test: at whose end.
      body: returns soon after its argument is set.
      stop: its argument; None: a new one.

    Returns:
      its argument.
    """
    stop = threading.Event() if stop is None else stop
    thread = threading.Thread(target=body, args=(stop,), daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(_SECONDS)
        test.assertFalse(thread.is_alive(), "a thread did not stop")

    test.addCleanup(end)
    return stop
