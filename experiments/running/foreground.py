"""Runs launch.train as a person would, shown on this terminal."""

import signal
import subprocess
import sys
from collections.abc import Sequence


def train(arguments: Sequence[str]) -> int:
    """Runs launch.train to its end.

    Ctrl-C and SIGTERM end the run with a last checkpoint, and then this returns.

    Args:
      arguments: of `python -m launch.train`.

    Returns:
      the exit status, as a shell tells it: 128 + N for signal N.
    """
    process: subprocess.Popen | None = None
    asked = False

    def terminate(*_: object) -> None:
        nonlocal asked
        asked = True
        if process is not None:
            process.terminate()

    # The terminal sends Ctrl-C to the run as well, but SIGTERM comes here alone, and
    # perhaps while the run is started.
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, terminate),
    }
    try:
        process = subprocess.Popen([sys.executable, "-m", "launch.train", *arguments])
        if asked:
            process.terminate()
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - status if status < 0 else status
