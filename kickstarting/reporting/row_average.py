"""One row of metrics from many updates: the longer a run, the more of them."""

import time
from collections.abc import Mapping

# In the first hour a row a second; then so many while a run becomes e times as long,
# which is some 2,500 while it becomes twice as long.
_ROWS = 3600
_SHORTEST_SECONDS = 1.0


class RowAverage:
    """Means of the metrics of the updates between two rows.

    Attributes:
      updates: since the row before.
    """

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self.updates = 0
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.monotonic() - self._start

    def add(self, metrics: Mapping[str, float]) -> None:
        """Takes those of one update, the same names each time."""
        self.updates += 1
        for name, value in metrics.items():
            self._sums[name] = self._sums.get(name, 0.0) + value

    def means(self) -> dict[str, float]:
        """Returns the mean of each; none before the first update."""
        return {name: value / self.updates for name, value in self._sums.items()}


def period(run_seconds: float) -> float:
    """Returns the seconds from one row to the next.

    One a second for ever makes files that grow by a gigabyte a week, of which nobody
    sees more than a picture a thousand points wide.

    Args:
      run_seconds: that the run has gone on, with what it resumes.

    Returns:
      at least 1.
    """
    return max(_SHORTEST_SECONDS, run_seconds / _ROWS)
