"""A real terminal for tests (a pseudo-terminal), and what stands on it."""

import os
import pty
import re
import subprocess
import sys
import threading


def run(program: str, *arguments: str) -> str:
    """Returns everything that a program draws on a terminal of 80x24.

    Args:
      program: its Python.
      *arguments: of its command line.
    """
    leader, follower = pty.openpty()
    chunks = []

    def read() -> None:
        try:
            while chunk := os.read(leader, 65536):
                chunks.append(chunk)
        except OSError:
            # The terminal's last writer has gone.
            return

    reader = threading.Thread(target=read)
    reader.start()
    environment = {
        **os.environ,
        "TERM": "xterm",
        "COLUMNS": "80",
        "LINES": "24",
        "PYTHONIOENCODING": "utf-8",
    }
    try:
        subprocess.run(
            [sys.executable, "-c", program, *arguments],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=environment,
            timeout=50,
        )
    finally:
        os.close(follower)
        reader.join()
        os.close(leader)
    return b"".join(chunks).decode()


def screen(output: str) -> str:
    """Replays output on a terminal that knows the few codes the view uses.

    Args:
      output: of `run`.

    Returns:
      what stands on it at the end, with what has scrolled out of sight.
    """
    lines = [""]
    row = column = 0
    for token in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", output):
        if token == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif token == "\r":
            column = 0
        elif token == "\x1b[2K":
            lines[row] = ""
        elif re.fullmatch(r"\x1b\[\d+A", token):
            row -= int(token[2:-1])
        elif not token.startswith("\x1b"):
            before, after = lines[row][:column], lines[row][column + len(token) :]
            lines[row] = before.ljust(column) + token + after
            column += len(token)
    return "\n".join(lines)
