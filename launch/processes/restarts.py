"""The file of a run that tells which nodes began again, when, and why."""

import dataclasses
import json
import os
import time

from absl import logging

FILE = "restarts.jsonl"


@dataclasses.dataclass(frozen=True)
class Restart:
    """One of them.

    Attributes:
      time: in seconds since the epoch, when it had ended.
      node: e.g. 'actor/0'.
      reason: of the end.
    """

    time: float
    node: str
    reason: str


def record(logdir: str, node: str, reason: str) -> None:
    """Appends a restart; on a full disk it is told of and left out.

    Args:
      logdir: the run's folder.
      node: e.g. 'actor/0'.
      reason: of the end.
    """
    restart = Restart(time.time(), node, reason)
    line = json.dumps(dataclasses.asdict(restart)) + "\n"
    try:
        os.makedirs(logdir, exist_ok=True)
        # One write to a file opened so is whole, whoever else appends.
        with open(os.path.join(logdir, FILE), "ab", buffering=0) as file:
            file.write(line.encode())
    except OSError as error:
        logging.warning("Cannot record that %s begins again: %s", node, error)


def read(logdir: str) -> list[Restart]:
    """Returns what was recorded, oldest first; lines cut short are left out.

    Args:
      logdir: the run's folder.
    """
    try:
        with open(os.path.join(logdir, FILE), encoding="utf-8") as file:
            lines = file.readlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            found.append(Restart(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return found
