"""One row of metrics from many updates."""

import time
from collections.abc import Mapping


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
