"""Runs launch.train as a person would, shown on this terminal."""

import signal
import subprocess
import sys
from collections.abc import Sequence

from launch.processes import stop_signals


def train(arguments: Sequence[str]) -> int:
    """Runs launch.train to its end.

    Ctrl-C, SIGTERM and the end of the terminal end the run with a last checkpoint, and
    then this returns.

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

    # The terminal sends Ctrl-C, and that it goes, to the run as well, but SIGTERM comes
    # here alone, and perhaps while the run is started.
    handlers = {
        signal.SIGINT: lambda *_: None,
        signal.SIGTERM: terminate,
        **dict.fromkeys(stop_signals.by_the_terminal_s_end(), terminate),
    }
    before = {
        number: signal.signal(number, handler) for number, handler in handlers.items()
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
