"""Reads the metrics of an update while the next one is computed."""

from collections.abc import Mapping
from typing import NamedTuple

import jax


class Metrics(NamedTuple):
    """Of one update.

    Attributes:
      frames: environment frames after it.
      values: by name, of the first device; and what the host knew.
      skipped: whether the update was not taken.
    """

    frames: int
    values: dict[str, float]
    skipped: bool


class MetricsReader:
    """Holds the newest update's metrics on the devices until there are newer ones.

    To read them at once would be to wait for that update: the devices would then have
    nothing to do until the next one has been sent.
    """

    def __init__(self) -> None:
        self._unread: tuple[int, Mapping[str, jax.Array], dict[str, float]] | None
        self._unread = None

    def exchange(
        self, frames: int, metrics: Mapping[str, jax.Array], known: dict[str, float]
    ) -> Metrics | None:
        """Takes an update's metrics and returns those of the update before.

        Args:
          frames: environment frames after the update.
          metrics: float32 [devices] each, all alike, `skipped` among them.
          known: to the host, of the same update; added to the values.
        """
        before = self.rest()
        self._unread = (frames, metrics, known)
        return before

    def rest(self) -> Metrics | None:
        """Returns the newest update's metrics, once; it waits for that update."""
        if self._unread is None:
            return None
        frames, metrics, known = self._unread
        self._unread = None
        # In one transfer: each alone would be waited for alone.
        read = jax.device_get(
            {name: x.addressable_data(0) for name, x in metrics.items()}
        )
        values = {name: float(x[0]) for name, x in read.items()}
        skipped = bool(values.pop("skipped"))
        return Metrics(frames, {**values, **known}, skipped)
