"""Teachers that leave most of what they are asked without advice, in words."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from absl import logging

from kickstarting.reporting import figures

# Of the unrolls that a teacher was asked about; above it a person is told.
LIMIT = 0.5
_SECONDS = 60.0
_ASKED, _UNANSWERED = "asked_unrolls/", "unanswered_unrolls/"
# (counter, what its share of the unrolls without advice is called)
_REASONS = (
    ("failed_answers/", "{} failed"),
    ("not_finite_answers/", "{} not finite"),
)


class Advice(NamedTuple):
    """How one teacher answered.

    Attributes:
      teacher: its name.
      asked: unrolls that it was asked about.
      unanswered: those of them that went on without its advice.
      words: the same for a person.
    """

    teacher: str
    asked: int
    unanswered: int
    words: str

    @property
    def is_missing(self) -> bool:
        """Whether more than LIMIT of its unrolls went on without its advice."""
        return self.unanswered > LIMIT * self.asked


def of_teachers(row: Mapping[str, float]) -> list[Advice]:
    """Returns how each teacher answered that was asked at all.

    Args:
      row: running totals by name, as Telemetry.row has them.
    """
    found = []
    for name in row:
        teacher = name.removeprefix(_ASKED)
        # One that was never asked in a row of metrics.csv is NaN there.
        if teacher == name or not row[name] > 0:
            continue
        asked, unanswered = int(row[name]), int(row.get(_UNANSWERED + teacher, 0))
        words = (
            f"{teacher!r} gave no advice on {figures.percent(unanswered / asked)} of "
            f"{asked:,} unrolls"
        )
        # Teacher servers count for the whole program, and reports come one by one.
        counts = (
            (row.get(counter + teacher, 0.0), reason) for counter, reason in _REASONS
        )
        reasons = [reason.format(f"{int(n):,}") for n, reason in counts if n > 0]
        if reasons:
            words += f" (answers: {', '.join(reasons)})"
        found.append(Advice(teacher, asked, unanswered, words))
    return found


def in_words(advice: Sequence[Advice]) -> str:
    """Returns one line on the teachers whose advice is missing, '' if none is."""
    missing = [each.words for each in advice if each.is_missing]
    return f"teacher {'; teacher '.join(missing)}" if missing else ""


def briefly(advice: Sequence[Advice]) -> str:
    """Returns the same in some words, however many teachers there are."""
    missing = [each.teacher for each in advice if each.is_missing]
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return f"little advice from {missing[0]}{more}" if missing else ""


def never_taught(advice: Sequence[Advice]) -> bool:
    """Whether teachers were asked, and the advice of every one of them is missing."""
    return bool(advice) and all(each.is_missing for each in advice)


class Watch:
    """Looks at the totals every minute."""

    def __init__(
        self,
        row: Callable[[], Mapping[str, float]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Takes what was before.

        Args:
          row: gives the totals; see `of_teachers`.
          clock: returns seconds.
        """
        self._row, self._clock = row, clock
        self._looked, self._before = clock(), dict(row())

    def tell(self, is_last: bool = False) -> None:
        """Logs what `in_words` says of the time since the last look.

        Args:
          is_last: looks though no minute has passed.
        """
        now = self._clock()
        if now < self._looked + _SECONDS and not is_last:
            return
        row = dict(self._row())
        since = {name: row[name] - self._before.get(name, 0.0) for name in row}
        seconds, self._looked, self._before = now - self._looked, now, row
        if words := in_words(of_teachers(since)):
            logging.warning(
                "Advice is missing: in the last %s %s.",
                figures.duration(seconds),
                words,
            )
