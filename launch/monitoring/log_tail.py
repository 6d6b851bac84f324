"""Shows the logs of all nodes in one terminal, each line with its node's name."""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

from launch.monitoring import node_logs

_PERIOD_SECONDS = 0.3
# Reverb logs every server and client, and cannot be told not to.
_NOISE = "[reverb/cc/"


def follow(directory: str, stop: threading.Event, output: TextIO) -> None:
    """Copies what is appended to the files under a folder.

    Args:
      directory: the folder; files that appear later are followed, too.
      stop: ends it when all that was written until then is shown.
      output: where lines go, as `[actor/0] ...`.
    """
    positions: dict[str, int] = {}
    while not stop.wait(_PERIOD_SECONDS):
        show_new_lines(directory, positions, output)
    show_new_lines(directory, positions, output)


def show_new_lines(directory: str, positions: dict[str, int], output: TextIO) -> None:
    """Copies the whole lines that came since the last call.

    Args:
      directory: the folder.
      positions: bytes of each file that were shown; brought up to date.
      output: where lines go.
    """
    for folder, _, names in os.walk(directory):
        for name in sorted(names):
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                file.seek(positions.get(path, 0))
                text = file.read()
            whole = text[: text.rfind(b"\n") + 1]
            positions[path] = positions.get(path, 0) + len(whole)
            node = os.path.relpath(path, directory)
            for line in whole.decode(errors="replace").splitlines():
                if line.startswith(_NOISE):
                    continue
                for words in node_logs.in_words(line).splitlines():
                    output.write(f"[{node}] {words}\n")
    output.flush()


@contextlib.contextmanager
def shown(directory: str, wanted: bool) -> Iterator[None]:
    """Shows, within, what is appended to the files under a folder.

    Args:
      directory: the folder.
      wanted: whether the user wants it.
    """
    ended = threading.Event()
    tail = threading.Thread(
        target=follow, args=(directory, ended, sys.stdout), name="logs", daemon=True
    )
    if wanted:
        tail.start()
    try:
        yield
    finally:
        ended.set()
        if tail.is_alive():
            tail.join()
