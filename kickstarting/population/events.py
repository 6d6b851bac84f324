"""The file of a population's decisions, from which its controller goes on.

One JSON object a line, each on the disk before what it says is done.
"""

import dataclasses
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

EVENTS_FILE = "population.jsonl"


class PopulationEventsError(Exception):
    """The file cannot be read or written; the message is one line."""


@dataclasses.dataclass(frozen=True)
class Event:
    """One decision about one member.

    Attributes:
      number: of the member's decisions, from 0; 0 is how it began. A replacement, which
        comes between them, has the number of the one before it.
      member: its index.
      frames: environment frames that it had learned from.
      other: whom it was compared with; None where there was nobody.
      copied: whether it took that one's weights and hyperparameters.
      rule: that decided; 'initial' at the beginning, and 'replacement' where a member
        that died became a copy.
      statistics: what the rule went by.
      fitness: of the member, in points; None while unknown.
      other_fitness: likewise.
      before: hyperparameters.
      after: hyperparameters, copied and perturbed.
    """

    number: int
    member: int
    frames: int
    other: int | None
    copied: bool
    rule: str
    statistics: Mapping[str, float]
    fitness: float | None
    other_fitness: float | None
    before: Mapping[str, float]
    after: Mapping[str, float]


class PopulationEvents:
    """Reads and appends; for one process."""

    def __init__(self, logdir: str) -> None:
        """Reads the file of a run's folder, if it is there, and changes nothing.

        A line that was only half written when the controller died does not count.

        Raises:
          PopulationEventsError: the file cannot be read, or an earlier line is no
            event.
        """
        self._path = os.path.join(logdir, EVENTS_FILE)
        content = b""
        try:
            with open(self._path, "rb") as file:
                content = file.read()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._error(error.strerror or str(error)) from error
        whole = content[: content.rfind(b"\n") + 1]
        self._size = len(whole)
        self.events: list[Event] = []
        for number, line in enumerate(whole.decode("utf-8", "replace").splitlines(), 1):
            try:
                self.events.append(Event(**json.loads(line)))
            except (ValueError, TypeError) as error:
                raise self._error(f"line {number} is no event") from error

    def append(self, event: Event) -> None:
        """Writes an event, after the last whole one, and waits for the disk.

        Raises:
          PopulationEventsError: it cannot be written.
        """
        line = json.dumps(dataclasses.asdict(event)).encode() + b"\n"
        try:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            with open(self._path, "ab") as file:
                file.truncate(self._size)
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            self._size += len(line)
        except OSError as error:
            raise PopulationEventsError(
                f"cannot write {self._path}: {error.strerror or error} (free some "
                "space, or choose another folder)"
            ) from error
        self.events.append(event)

    def newest(self) -> dict[int, Event]:
        """Returns each member's last event."""
        return {event.member: event for event in self.events}

    def _error(self, why: str) -> PopulationEventsError:
        return PopulationEventsError(
            f"{self._path}: {why}; move it away to begin the population anew"
        )


def lineage(events: Sequence[Event], member: int) -> Iterator[Event]:
    """Follows the events that made a member what it is, newest first.

    Where it copied another one, what came before is that one's, as in figure 2 of
    Schmitt et al. 2018.

    Args:
      events: in the order in which they happened.
      member: whose.
    """
    current = member
    for event in reversed(events):
        if event.member != current:
            continue
        yield event
        if event.copied:
            assert event.other is not None
            current = event.other


@dataclasses.dataclass(frozen=True)
class Stretch:
    """A part of a lineage in which one member trained.

    Attributes:
      member: the one.
      after: environment frames of each member that it begins behind.
      until: those that it ends with.
    """

    member: int
    after: float
    until: float


def stretches(events: Sequence[Event], member: int) -> list[Stretch]:
    """Returns a lineage as one run: stretches that do not overlap, newest first.

    Members are not equally far: what one that was ahead had done beyond the frames of
    the one that copied it belongs to no stretch.

    Args:
      events: in the order in which they happened.
      member: whose.
    """
    found = []
    current, until = member, math.inf
    for event in lineage(events, member):
        if event.copied:
            assert event.other is not None
            if event.frames < until:
                found.append(Stretch(current, event.frames, until))
                until = event.frames
            current = event.other
    return [*found, Stretch(current, -math.inf, until)]


def trace(events: Sequence[Event], member: int, name: str) -> list[tuple[int, float]]:
    """Returns (frames, value) of one hyperparameter along a member's lineage.

    Frames do not fall: what a member that was ahead had changed by the time that it was
    copied has the frames of the one that copied it.

    Args:
      events: in the order in which they happened.
      member: whose.
      name: of the hyperparameter.
    """
    steps: list[tuple[int, float]] = []
    for event in lineage(events, member):
        frames = min(event.frames, steps[-1][0]) if steps else event.frames
        steps.append((frames, float(event.after[name])))
    return steps[::-1]


def ancestry(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Returns the copies that were made: frames, member and whom it copied."""
    return [
        {"frames": event.frames, "member": event.member, "copied": event.other}
        for event in events
        if event.copied
    ]
