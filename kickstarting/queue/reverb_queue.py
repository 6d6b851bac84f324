"""The Reverb queue between actors and the learner.

FIFO, bounded, one item for each unroll, sampled once. An item is the flat list of a
Trajectory's arrays: Reverb's table needs no knowledge of our tuples.
"""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tree

from kickstarting.agent import trajectory as trajectory_lib
from kickstarting.loading import reverb_loader
from kickstarting.queue.stopped import QueueStopped as QueueStopped

if TYPE_CHECKING:
    import reverb
else:
    reverb = reverb_loader.load()

TABLE = "unrolls"
_POLL_SECONDS = 0.5
# As many as Reverb's client counts to.
_WITHOUT_END = 2**63 - 1
# Samplers that were in use when their program stopped. To destroy one in its server's
# process takes up to three seconds, in which it holds the GIL.
_left_to_the_end: list[Iterator[Any]] = []


class Client(NamedTuple):
    """What writes to a queue, and reads from it.

    Attributes:
      reverb: client of the server.
      table: of the server; another run's server has none of that name.
    """

    reverb: reverb.Client
    table: str


def server(size: int, port: int | None = None, table: str = TABLE) -> reverb.Server:
    """Returns a server, which serves already, with the bounded FIFO table for unrolls.

    Args:
      size: unrolls held before writers are held back.
      port: on which it listens; a free one by default.
      table: its name.
    """
    return reverb.Server([reverb.Table.queue(table, max_size=size)], port=port)


def client(address: str, table: str = TABLE) -> Client:
    """Returns a client of the server's table at host:port."""
    return Client(reverb.Client(address), table)


class UnrollWriter:
    """Writes unrolls into the table from one thread."""

    def __init__(self, client: Client, should_stop: Callable[[], bool]) -> None:
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
            self._writer = self._client.reverb.trajectory_writer(
                num_keep_alive_refs=1, validate_items=False
            )
        self._writer.append(tree.flatten(trajectory))
        self._writer.create_item(
            self._client.table,
            priority=1.0,
            trajectory=[c[-1] for c in self._writer.history],
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
    client: Client,
    example: trajectory_lib.Trajectory,
    batch_size: int,
    should_stop: Callable[[], bool],
) -> Iterator[trajectory_lib.Trajectory]:
    """Yields batches of unrolls, oldest first, until the program stops.

    Read by Reverb's own sampler: its datasets need TensorFlow. The learner's reader
    thread is the prefetch: more would be staler unrolls.

    Args:
      client: of the queue's server.
      example: one unbatched unroll, for the structure.
      batch_size: unrolls in a batch.
      should_stop: asked when reading fails: a queue that goes away because the program
        stops ends the iteration.

    Yields:
      Trajectory with arrays [batch_size, ...].

    Raises:
      RuntimeError: the queue went away.
    """
    samples = client.reverb.sample(client.table, _WITHOUT_END, emit_timesteps=False)
    try:
        while not should_stop():
            unrolls = [next(samples).data for _ in range(batch_size)]
            yield tree.unflatten_as(
                example, [np.stack(each) for each in zip(*unrolls, strict=True)]
            )
    except RuntimeError:
        if not should_stop():
            raise
    finally:
        if should_stop():
            _left_to_the_end.append(samples)


def size(client: Client) -> int:
    """Returns how many unrolls the queue holds now."""
    return client.reverb.server_info(timeout=5)[client.table].current_size
