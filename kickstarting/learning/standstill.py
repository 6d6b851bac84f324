"""A run that stands still: what it waits for is told, and it does so for a while only.

Nothing fails where an environment, a machine or a device never answers: nothing comes,
and nobody says so. What each part last said that it does, whoever updates knows.
"""

import threading
import time
from collections.abc import Callable, Sequence

from absl import logging

# Without an update, until a person is told, and told again.
_SECONDS_TO_TELLING = 120.0
_TELLING_SECONDS = 180.0
_POLL_SECONDS = 1.0
_WAITS = "waits for unrolls"
_UPDATES = "makes an update"
_FIRST_UPDATE = "makes its first update, which may have to be compiled"
# Of many parts, in one line.
_MOST_PARTS = 4


class StandstillError(Exception):
    """No update was made for too long; its message is one line."""


class Standstill:
    """Knows how long no update was made; any thread may call any method."""

    def __init__(
        self,
        run: str,
        parts: Sequence[str],
        most_minutes: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begins to count.

        Args:
          run: its name, for the log.
          parts: from which unrolls come, e.g. 'actor/0'.
          most_minutes: without an update, after which `check` raises.
          clock: returns seconds.
        """
        self._run = run
        self._parts = parts
        self._most_minutes = most_minutes
        self._clock = clock
        self._said: dict[str, tuple[float, str]] = {}
        self._moved_at = clock()
        self._has_updated = False
        self._told_at = -_TELLING_SECONDS
        self._learner = _WAITS

    def updated(self) -> None:
        """Says that an update was made, and that the learner wants unrolls again."""
        self._has_updated = True
        self._learner = _WAITS
        self.rest()

    def rest(self) -> None:
        """Says that nothing is wanted at the moment: it counts from now on."""
        self._moved_at = self._clock()

    def begins_update(self) -> None:
        """Says that an update is made, and that the learner waits for nothing."""
        self._learner = _UPDATES if self._has_updated else _FIRST_UPDATE

    def hear(self, part: str, what: str) -> None:
        """Takes what a part says that it does.

        Args:
          part: e.g. 'actor/0'.
          what: as a sentence goes on after its name.
        """
        self._said[part] = self._clock(), what

    def words(self) -> str:
        """Returns for how long nothing has moved, and who does what, in one line."""
        now = self._clock()
        minutes = (now - self._moved_at) / 60
        beginning = "no update for" if self._has_updated else "no first update after"
        lines = [f"the learner {self._learner}"]
        for part in self._parts[:_MOST_PARTS]:
            if part in self._said:
                heard_at, what = self._said[part]
                lines.append(f"{part} {what} (said {now - heard_at:.0f} seconds ago)")
            else:
                lines.append(f"{part} has said nothing yet")
        if len(self._parts) > _MOST_PARTS:
            lines.append(f"and {len(self._parts) - _MOST_PARTS} more")
        return f"{beginning} {minutes:.1f} minutes: {'; '.join(lines)}"

    def check(self) -> None:
        """Looks whether that was too long.

        Raises:
          StandstillError: it was.
        """
        if self._clock() - self._moved_at > self._most_minutes * 60:
            raise StandstillError(
                f"{self.words()}; standstill_minutes ({self._most_minutes:g}) are over"
            )

    def tell(self) -> None:
        """Logs what is waited for, where it is time to."""
        now = self._clock()
        if (
            now - self._moved_at > _SECONDS_TO_TELLING
            and now - self._told_at > _TELLING_SECONDS
        ):
            self._told_at = now
            logging.warning(
                "%s: %s. It may last %g, standstill_minutes.",
                self._run,
                self.words(),
                self._most_minutes,
            )

    def watch(self, has_ended: threading.Event) -> None:
        """Tells from a thread of its own, until the event is set."""

        def run() -> None:
            while not has_ended.wait(_POLL_SECONDS):
                self.tell()

        self.rest()
        threading.Thread(target=run, name="standstill", daemon=True).start()
