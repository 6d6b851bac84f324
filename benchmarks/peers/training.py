"""What every peer is told, and what it leaves: settings, and a row an episode.

The scripts of this folder run in virtual environments of their own, in which there is
nothing of the project but this folder.
"""

import argparse
import csv
import dataclasses
import glob
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

SETTINGS_FILE = "settings.json"
_EPISODES = "episodes"


@dataclasses.dataclass(frozen=True)
class Training:
    """What a peer trains on.

    Attributes:
      task: `suite:level`.
      seed: of everything random.
      frames: environment frames, agent steps times action repeat.
      folder: takes what it leaves.
      threads: of its linear algebra.
    """

    task: str
    seed: int
    frames: int
    folder: str
    threads: int

    @classmethod
    def from_arguments(cls, argv: Sequence[str] | None = None) -> "Training":
        """Returns what a command line says, and makes the folder.

        From here on SIGTERM ends the process as an exit does: engines are closed.

        Args:
          argv: arguments; those of this process where None.
        """
        parser = argparse.ArgumentParser()
        for field in dataclasses.fields(cls):
            parser.add_argument(f"--{field.name}", type=field.type, required=True)
        training = cls(**vars(parser.parse_args(argv)))
        os.makedirs(training.folder, exist_ok=True)
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        return training

    def arguments(self) -> list[str]:
        """Returns the command line that `from_arguments` reads."""
        return [f"--{name}={value}" for name, value in vars(self).items()]


@dataclasses.dataclass(frozen=True)
class Episode:
    """A finished episode of training.

    Attributes:
      frames: environment frames of the training when it ended.
      seconds: since the peer's process began.
      raw_return: sum of the level's own rewards.
      trained_return: sum of the rewards that the learner was given.
    """

    frames: int
    seconds: float
    raw_return: float
    trained_return: float


class EpisodeFile:
    """Appends episodes to a file, each at once; for one process."""

    def __init__(self, folder: str, began: float, name: str = "") -> None:
        """Opens the file.

        Args:
          folder: of the training.
          began: `process_began` of the peer's first process.
          name: where several files are written, that of this one.
        """
        path = os.path.join(folder, f"{_EPISODES}{name}.csv")
        # Line by line: it is read while it is written.
        self._file = open(path, "a", buffering=1, encoding="utf-8")  # noqa: SIM115
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._began = began

    def add(self, frames: int, raw_return: float, trained_return: float) -> None:
        """Appends an episode that has ended now."""
        seconds = round(time.time() - self._began, 2)
        self._writer.writerow([frames, seconds, raw_return, trained_return])


def read_episodes(folder: str) -> Iterator[Episode]:
    """Yields the episodes of a training so far, of all its processes, by frames."""
    episodes = []
    for path in glob.glob(os.path.join(glob.escape(folder), f"{_EPISODES}*.csv")):
        with open(path, newline="", encoding="utf-8") as file:
            # The last line may be half written.
            lines = file.read().split("\n")[:-1]
        episodes += [
            Episode(int(row[0]), *map(float, row[1:])) for row in csv.reader(lines)
        ]
    yield from sorted(episodes, key=lambda episode: episode.frames)


def write_settings(folder: str, settings: Mapping[str, Any]) -> None:
    """Writes what a peer was trained with, for the report."""
    with open(os.path.join(folder, SETTINGS_FILE), "w", encoding="utf-8") as file:
        json.dump(settings, file, indent=1)


def process_began() -> float:
    """Returns when this process began, in seconds of the Unix epoch."""
    with open("/proc/self/stat", encoding="utf-8") as file:
        # The name, in brackets, may hold anything; the start is the 22nd field.
        ticks = int(file.read().rpartition(")")[2].split()[19])
    with open("/proc/uptime", encoding="utf-8") as file:
        uptime = float(file.read().split()[0])
    return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")
