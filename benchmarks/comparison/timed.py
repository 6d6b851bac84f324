"""Runs a command for at most so many minutes and leaves what it took.

  python -m benchmarks.comparison.timed --folder=runs/one --minutes=60 -- COMMAND

writes the folder's outcome.json once the command has ended well, or at its limit, where
it is asked to end. Nothing of it is left then: an engine that it started ends too.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

_FILE = "outcome.json"
# For a last checkpoint.
_SECONDS_TO_STOP = 120.0


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
      began: when, in seconds of the Unix epoch.
      seconds: of the clock that it took.
      cpu_seconds: of all its processes.
      minutes: that it was given.
      limit_reached: whether it was stopped by them.
    """

    began: float
    seconds: float
    cpu_seconds: float
    minutes: float
    limit_reached: bool


def command(folder: str, minutes: float, arguments: Sequence[str]) -> list[str]:
    """Returns the command line that runs another one under this module.

    Args:
      folder: takes the outcome.
      minutes: that the command is given.
      arguments: the command.
    """
    options = [f"--folder={folder}", f"--minutes={minutes}"]
    return [sys.executable, "-m", __name__, *options, "--", *arguments]


def read(folder: str) -> Outcome | None:
    """Returns the outcome that a folder holds; None where its command has not ended."""
    try:
        with open(os.path.join(folder, _FILE), encoding="utf-8") as file:
            return Outcome(**json.load(file))
    except FileNotFoundError:
        return None


def main(argv: Sequence[str] | None = None) -> int:
    """Runs as the command line says.

    Args:
      argv: arguments; those of this process where None.

    Returns:
      0 also where the limit was reached; else the command's status, 128 + N for
      signal N.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(argv)
    began, start = time.time(), time.monotonic()
    process: subprocess.Popen[bytes] | None = None
    asked = False

    def stop(*_: object) -> None:
        nonlocal asked
        asked = True
        if process is not None:
            process.terminate()
            signal.setitimer(signal.ITIMER_REAL, _SECONDS_TO_STOP)

    # Before the process, for it may come while that is started.
    signal.signal(signal.SIGTERM, stop)
    # A group of its own, so that whatever it started can be ended with it.
    process = subprocess.Popen(options.command, start_new_session=True)
    signal.signal(signal.SIGALRM, lambda *_: process.kill())
    if asked:
        stop()
    limit_reached = False
    try:
        status = process.wait(options.minutes * 60)
    except subprocess.TimeoutExpired:
        limit_reached = True
        process.terminate()
        status = _wait(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    if limit_reached:
        status = 0
    if status == 0:
        outcome = Outcome(
            began=began,
            seconds=time.monotonic() - start,
            cpu_seconds=used.ru_utime + used.ru_stime,
            minutes=options.minutes,
            limit_reached=limit_reached,
        )
        _write(options.folder, outcome)
    return 128 - status if status < 0 else status


def _wait(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _write(folder: str, outcome: Outcome) -> None:
    path = os.path.join(folder, _FILE)
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(dataclasses.asdict(outcome), file, indent=1)
    os.replace(f"{path}.new", path)


if __name__ == "__main__":
    sys.exit(main())
