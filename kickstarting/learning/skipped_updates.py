"""Updates that were not taken, since what they led to was not finite."""

from absl import logging

# One bad batch passes; after so many in a row it is not the batches.
MOST_IN_A_ROW = 50


class LossError(RuntimeError):
    """Update after update would have led to what is not finite."""


class SkippedUpdates:
    """Counts them.

    Attributes:
      total: since it was made.
    """

    def __init__(self) -> None:
        self.total = 0
        self._in_a_row = 0

    def record(self, skipped: bool, frames: int) -> None:
        """Records one update.

        Args:
          skipped: whether it was not taken.
          frames: environment frames after it.

        Raises:
          LossError: nor were those before it, MOST_IN_A_ROW in all.
        """
        if not skipped:
            self._in_a_row = 0
            return
        self.total += 1
        self._in_a_row += 1
        if self.total == 1:
            logging.warning(
                "The update at %d frames was not taken: a reward, an observation or "
                "the loss is not finite. Further ones are counted (skipped_updates).",
                frames,
            )
        if self._in_a_row >= MOST_IN_A_ROW:
            raise LossError(
                f"the last {self._in_a_row} updates before {frames} frames were not "
                "taken, since the loss is not finite; what was learned before is kept: "
                "look for rewards that are not finite, or lower --learning_rate"
            )
