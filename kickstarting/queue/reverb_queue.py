"""The Reverb queue between actors and the learner; the only user of TensorFlow here.

FIFO, bounded, one item for each unroll, sampled once. An item is the flat list of a
Trajectory's arrays: Reverb's table signature needs no knowledge of our tuples.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import reverb
import tensorflow as tf
import tree

from kickstarting.agent import trajectory as trajectory_lib
from kickstarting.queue.stopped import QueueStopped as QueueStopped

# Reverb and its datasets run on the CPU: TensorFlow must never take the accelerator
# that the learner needs.
for _kind in ("GPU", "TPU"):
    tf.config.set_visible_devices([], _kind)

TABLE = "unrolls"
_POLL_SECONDS = 0.5
# Samples that may wait in the learner's process beyond the table's own bound.
_SAMPLES_IN_FLIGHT = 2


def table(example: trajectory_lib.Trajectory, size: int) -> reverb.Table:
    """Returns the bounded FIFO table for unrolls that look like `example`.

    Args:
      example: one unbatched unroll; shapes and dtypes are read from it.
      size: unrolls held before writers are held back.
    """
    signature = [
        tf.TensorSpec(array.shape, array.dtype)
        for array in map(np.asarray, tree.flatten(example))
    ]
    return reverb.Table.queue(TABLE, max_size=size, signature=signature)


class UnrollWriter:
    """Writes unrolls into the table from one thread."""

    def __init__(self, client: reverb.Client, should_stop: Callable[[], bool]) -> None:
        self._client = client
        self._should_stop = should_stop
        self._writer: Any = None

    def write(self, trajectory: trajectory_lib.Trajectory) -> float:
        """Appends one unroll; its arrays may be reused as soon as this returns.

        Args:
          trajectory: one unbatched unroll.

        Returns:
          Seconds spent waiting for room in the queue.

        Raises:
          QueueStopped: the program stopped while the queue was full.
        """
        if self._writer is None:
            self._writer = self._client.trajectory_writer(
                num_keep_alive_refs=1, validate_items=False
            )
        self._writer.append(tree.flatten(trajectory))
        self._writer.create_item(
            TABLE, priority=1.0, trajectory=[c[-1] for c in self._writer.history]
        )
        start = time.monotonic()
        while True:
            try:
                self._writer.flush(timeout_ms=int(_POLL_SECONDS * 1000))
                return time.monotonic() - start
            except reverb.errors.DeadlineExceededError:
                if self._should_stop():
                    raise QueueStopped from None
            except RuntimeError as error:
                if self._should_stop():
                    raise QueueStopped from error
                raise

    def close(self) -> None:
        """Closes the stream without waiting for what the full queue did not take."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def batches(
    client: reverb.Client,
    example: trajectory_lib.Trajectory,
    batch_size: int,
    should_stop: Callable[[], bool],
) -> Iterator[trajectory_lib.Trajectory]:
    """Yields batches of unrolls, oldest first, until the program stops.

    Args:
      client: of the queue's server.
      example: one unbatched unroll, for the structure.
      batch_size: unrolls in a batch.
      should_stop: asked when reading fails: a queue that goes away because the program
        stops ends the iteration.

    Yields:
      Trajectory with arrays [batch_size, ...], read-only.
    """
    dataset = reverb.TrajectoryDataset.from_table_signature(
        server_address=client.server_address,
        table=TABLE,
        max_in_flight_samples_per_worker=_SAMPLES_IN_FLIGHT,
        num_workers_per_iterator=1,
        get_signature_timeout_secs=60,
    )
    dataset = dataset.map(lambda sample: sample.data)
    # The learner's reader thread is the prefetch: more would be staler unrolls.
    dataset = dataset.batch(batch_size, drop_remainder=True)
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    iterator = dataset.with_options(options).as_numpy_iterator()
    while not should_stop():
        try:
            yield tree.unflatten_as(example, next(iterator))
        except (StopIteration, tf.errors.OpError):
            if should_stop():
                return
            raise


def size(client: reverb.Client) -> int:
    """Returns how many unrolls the queue holds now."""
    return client.server_info(timeout=5)[TABLE].current_size
