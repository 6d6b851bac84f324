"""Reads the metrics of an update while the next one is computed."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp


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
        # (frames, names, their values [M] on a device, what the host knew).
        self._unread: tuple[int, list[str], jax.Array, dict[str, float]] | None = None

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
        first = [x.addressable_data(0) for x in metrics.values()]
        self._unread = (frames, list(metrics), _packed(first), known)
        return before

    def rest(self) -> Metrics | None:
        """Returns the newest update's metrics, once; it waits for that update."""
        if self._unread is None:
            return None
        frames, names, packed, known = self._unread
        self._unread = None
        values = dict(zip(names, jax.device_get(packed).tolist(), strict=True))
        skipped = bool(values.pop("skipped"))
        return Metrics(frames, {**values, **known}, skipped)


@jax.jit
def _packed(metrics: Sequence[jax.Array]) -> jax.Array:
    """Returns M arrays [1] as one [M]: each alone would be a transfer of its own."""
    return jnp.concatenate(metrics)
