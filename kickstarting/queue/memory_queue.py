"""The queue between actors and a learner that are threads of one process.

FIFO, bounded, each unroll given once, as that of reverb_queue, whose interface it keeps
(`UnrollWriter`, `batches`, `size`): whoever writes or reads need not know which it is.
"""

import collections
import threading
import time
from collections.abc import Callable, Iterator

import jax
import numpy as np

from kickstarting.agent import trajectory as trajectory_lib
from kickstarting.queue.stopped import QueueStopped

# Between two looks at whether the program stops.
_POLL_SECONDS = 0.2


class MemoryQueue:
    """Unrolls in the order in which they came; for any number of threads."""

    def __init__(self, size: int) -> None:
        """Holds nothing yet.

        Args:
          size: unrolls held before writers are held back.
        """
        self._size = size
        self._unrolls: collections.deque[trajectory_lib.Trajectory] = (
            collections.deque()
        )
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._unrolls)

    def put(
        self, unroll: trajectory_lib.Trajectory, should_stop: Callable[[], bool]
    ) -> bool:
        """Appends an unroll, which is not copied; waits while the queue is full.

        Returns:
          False where the program stopped while the queue was full.
        """
        with self._changed:
            while len(self._unrolls) >= self._size:
                if should_stop():
                    return False
                self._changed.wait(_POLL_SECONDS)
            self._unrolls.append(unroll)
            self._changed.notify_all()
        return True

    def take(
        self, count: int, should_stop: Callable[[], bool]
    ) -> list[trajectory_lib.Trajectory]:
        """Takes the oldest unrolls, all at once; waits until there are so many.

        Args:
          count: at most the queue's size.
          should_stop: asked while there are too few.

        Returns:
          `count` unrolls, or none where the program stopped.

        Raises:
          ValueError: the queue never holds so many.
        """
        if count > self._size:
            raise ValueError(f"a queue of {self._size} unrolls never holds {count}")
        with self._changed:
            while not should_stop():
                if len(self._unrolls) >= count:
                    taken = [self._unrolls.popleft() for _ in range(count)]
                    self._changed.notify_all()
                    return taken
                self._changed.wait(_POLL_SECONDS)
        return []


class UnrollWriter:
    """Writes unrolls into the queue from one thread."""

    def __init__(self, queue: MemoryQueue, should_stop: Callable[[], bool]) -> None:
        self._queue = queue
        self._should_stop = should_stop

    def write(self, trajectory: trajectory_lib.Trajectory) -> float:
        """Appends one unroll; its arrays may be reused as soon as this returns.

        Args:
          trajectory: one unbatched unroll.

        Returns:
          Seconds spent waiting for room in the queue.

        Raises:
          QueueStopped: the program stopped while the queue was full.
        """
        copied = jax.tree.map(np.array, trajectory)
        start = time.monotonic()
        if not self._queue.put(copied, self._should_stop):
            raise QueueStopped
        return time.monotonic() - start

    def close(self) -> None:
        """Does nothing: there is no stream to end."""


def batches(
    queue: MemoryQueue, batch_size: int, should_stop: Callable[[], bool]
) -> Iterator[trajectory_lib.Trajectory]:
    """Yields batches of unrolls, oldest first, until the program stops.

    Args:
      queue: of which unrolls are taken.
      batch_size: unrolls in a batch, at most the queue's size.
      should_stop: True ends the iteration, also while it waits for unrolls.

    Yields:
      Trajectory with arrays [batch_size, ...].
    """
    while unrolls := queue.take(batch_size, should_stop):
        yield jax.tree.map(lambda *leaves: np.stack(leaves), *unrolls)


def size(queue: MemoryQueue) -> int:
    """Returns how many unrolls the queue holds now."""
    return len(queue)
