"""The peers' virtual environments: one each, from pins, made once."""

import hashlib
import os
import subprocess

from kickstarting.config import run as config_lib

_STAMP = "peer.stamp"
_LONGEST_SECONDS = 3600.0


def ensure(name: str, requirements: str, folder: str, python: str) -> str:
    """Returns the interpreter of a peer's virtual environment, which is made if needed.

    One whose installation was cut short, or whose pins have changed since, is made
    again.

    Args:
      name: of the peer.
      requirements: file of its pins.
      folder: of the virtual environments.
      python: an interpreter of the version that the pins are for.

    Raises:
      config_lib.ConfigError: it cannot be made.
    """
    place = os.path.join(os.path.abspath(folder), name)
    interpreter = os.path.join(place, "bin", "python")
    stamp = os.path.join(place, _STAMP)
    with open(requirements, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    if _read(stamp) == digest:
        return interpreter
    os.makedirs(folder, exist_ok=True)
    log = f"{place}.log"
    with open(log, "wb") as output:
        for command in (
            [python, "-m", "venv", "--clear", place],
            [interpreter, "-m", "pip", "install", "--no-input", "-r", requirements],
        ):
            reason = _failure(command, output.fileno(), log)
            if reason:
                raise config_lib.ConfigError(
                    f"cannot make the virtual environment of {name} with {python}: "
                    f"{reason} (--peer_python names another interpreter; {log} has "
                    "what was said)"
                )
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(digest)
    return interpreter


def _failure(command: list[str], output: int, log: str) -> str:
    """Runs a command; returns why it failed, or nothing."""
    try:
        status = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=_LONGEST_SECONDS,
            check=False,
        ).returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if status == 0:
        return ""
    lines = (_read(log) or "").split("\n")
    errors = [line for line in lines if line.startswith("ERROR: ")]
    said = errors or [line for line in lines if line.strip()]
    return said[-1].strip() if said else f"it ended with status {status}"


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return None
