"""A run that ends with the benchmark that has launched it."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence


@contextlib.contextmanager
def run(
    arguments: Sequence[str],
    output: int = subprocess.DEVNULL,
    command: Sequence[str] = (sys.executable, "-m", "launch.train"),
    folder: str | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Launches a run, which is asked to end, if it has not, where the block ends.

    A SIGTERM to this process, of which this is the main thread, ends the block too.

    Args:
      arguments: of the command.
      output: file descriptor for what it prints.
      command: what is launched.
      folder: of a checkout, whose modules it imports; None: this one's.

    Yields:
      its process.
    """

    def end(number: int, frame: object) -> None:
        del frame
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    process = subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": folder} if folder else None,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
        signal.signal(signal.SIGTERM, before)
