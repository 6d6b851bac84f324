"""Asks a process of its own what must not be tried in this one: it may hang, or crash.

The process is `python -m MODULE [ORDER, DESCRIPTOR]`, in JSON. It writes lines to the
descriptor, by `answer`; an empty one is its last.
"""

import contextlib
import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from absl import logging

from kickstarting.environments.stepping import family

TAKES_MORE = "takes more than"

# Until a person is told what is waited for, and then again.
_SECONDS_TO_TELLING = 10.0
_TELLING_SECONDS = 60.0
# Who it has forked may hold its end of the pipe, and only its own end tells then.
_POLL_SECONDS = 0.1
_CHUNK_BYTES = 65536


class Answer(NamedTuple):
    """What a process has said.

    Attributes:
      lines: but for the empty one at the end.
      failure: why that one did not come, as a sentence has it after 'it'; else empty.
    """

    lines: list[str]
    failure: str


def ask(module: str, order: Any, seconds: float, about: str) -> Answer:
    """Waits for the answer; the process then ends with all that it has started.

    Args:
      module: which is run.
      order: what its `orders` is to return; JSON-serialisable.
      seconds: after which it is given up.
      about: what a person is told to be waited for.
    """
    reader, writer = os.pipe()
    processes = family.Family()
    with open(reader, "rb", buffering=0) as said, tempfile.TemporaryFile() as errors:
        try:
            process = processes.start(
                *("-m", module, json.dumps([order, writer])),
                stderr=errors,
                pass_fds=(writer,),
            )
        except BaseException:
            processes.close()
            raise
        finally:
            os.close(writer)
        try:
            lines, has_ended = _listen(process, said, seconds, about)
            status = process.poll()
        finally:
            processes.end(process)
            processes.close()
        if has_ended:
            return Answer(lines, "")
        if status is None:
            return Answer(lines, f"{TAKES_MORE} {seconds:g} seconds")
        return Answer(lines, f"ended its process with status {status}{_last(errors)}")


def orders(argument: str) -> tuple[Any, int]:
    """Returns, in the process, its order and the descriptor of `answer`.

    Args:
      argument: its only one.
    """
    order, descriptor = json.loads(argument)
    # What it starts must not hold the pipe.
    os.set_inheritable(descriptor, False)
    return order, descriptor


def answer(descriptor: int, line: str) -> None:
    """Writes, in the process, a line of the answer; an empty one ends it."""
    # Who asked may be gone.
    with contextlib.suppress(BrokenPipeError):
        os.write(descriptor, f"{line}\n".encode())


def _listen(
    process: subprocess.Popen, said: IO[bytes], seconds: float, about: str
) -> tuple[list[str], bool]:
    """Returns the lines, and whether the last one was empty."""
    lines: list[str] = []
    for line in _lines(process, said, seconds, about):
        if not line:
            return lines, True
        lines.append(line)
    return lines, False


def _lines(
    process: subprocess.Popen, said: IO[bytes], seconds: float, about: str
) -> Iterator[str]:
    """Yields lines until the process ends, or the time is over."""
    start = time.monotonic()
    telling, rest, is_alive, is_open = _SECONDS_TO_TELLING, b"", True, True
    while is_alive and (waited := time.monotonic() - start) < seconds:
        if waited > telling:
            logging.warning("Waits for %s, up to %g seconds", about, seconds)
            telling = waited + _TELLING_SECONDS
        # Before the last look: what is written comes before the end.
        is_alive = process.poll() is None
        patience = _POLL_SECONDS if is_alive else 0
        if not is_open:
            time.sleep(patience)
        while is_open and select.select([said], [], [], patience)[0]:
            chunk = os.read(said.fileno(), _CHUNK_BYTES)
            is_open = bool(chunk)
            *whole, rest = (rest + chunk).split(b"\n")
            yield from (line.decode(errors="replace") for line in whole)


def _last(errors: IO[bytes]) -> str:
    """Returns the last line of standard error, as the end of a sentence."""
    errors.seek(0, os.SEEK_END)
    errors.seek(max(errors.tell() - _CHUNK_BYTES, 0))
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return f": {lines[-1].strip()}" if lines else ""
