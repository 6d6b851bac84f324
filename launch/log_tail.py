"""Shows the logs of all nodes in one terminal, each line with its node's name."""

import os
import sys
import time
from typing import TextIO

_PERIOD_SECONDS = 0.3


def follow(directory: str, output: TextIO = sys.stdout) -> None:
    """Copies what is appended to the files under a folder, for ever.

    Args:
      directory: the folder; files that appear later are followed, too.
      output: where lines go, as `[actor/0] ...`.
    """
    positions: dict[str, int] = {}
    while True:
        show_new_lines(directory, positions, output)
        time.sleep(_PERIOD_SECONDS)


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
                output.write(f"[{node}] {line}\n")
    output.flush()
