"""The reader: a thread that moves batches to the devices while the learner updates."""

import queue
import threading
import time
from collections.abc import Callable, Iterator

from kickstarting.agent.trajectory import Trajectory

_WAIT_SECONDS = 0.2


class Reader:
    """Reads one batch ahead.

    A whole window read ahead would be of a policy that is a window older. `take` and
    `end` are of one thread, `start` and `wait` of any.

    Attributes:
      taken: batches that were taken.
    """

    def __init__(
        self,
        batches: Callable[[], Iterator[Trajectory]],
        shard: Callable[[Trajectory], Trajectory],
        look: Callable[[], None],
    ) -> None:
        """Reads nothing yet.

        Args:
          batches: opens the stream of batches.
          shard: moves one to the devices.
          look: called again and again while `take` waits.
        """
        self._open_batches = batches
        self._shard = shard
        self._look = look
        self._read: queue.Queue[Trajectory] = queue.Queue()
        self._may_read = threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._has_ended = threading.Event()
        self._seconds_waited = 0.0
        self.taken = 0

    def start(self, stop: threading.Event) -> None:
        """Starts the thread, which ends once `stop` is set, or by `end`."""
        self._thread = threading.Thread(
            target=self._run, args=(stop,), name="batches", daemon=True
        )
        self._thread.start()

    def take(self, stop: threading.Event) -> Trajectory | None:
        """Returns the next batch, on the devices; None where it was told to stop.

        Raises:
          BaseException: what the stream of batches failed with, or `look`.
        """
        start = time.monotonic()
        try:
            while not stop.is_set():
                if self._failure is not None:
                    raise self._failure
                try:
                    batch = self._read.get(timeout=_WAIT_SECONDS)
                except queue.Empty:
                    self._look()
                    continue
                self._may_read.release()
                self.taken += 1
                return batch
            return None
        finally:
            self._seconds_waited += time.monotonic() - start

    def seconds_waited(self) -> float:
        """Returns the seconds spent in `take` since this was asked last."""
        seconds, self._seconds_waited = self._seconds_waited, 0.0
        return seconds

    def end(self) -> None:
        """Tells the thread that nothing more is taken."""
        self._has_ended.set()

    def wait(self, stop: threading.Event) -> None:
        """Waits until the thread takes nothing more from the stream.

        A reader that waits for a batch still gets it: a learner that read beside it
        would lose unrolls to it, now and then.

        Args:
          stop: set when the program ends: then nothing is waited for.
        """
        while self._thread is not None and self._thread.is_alive():
            if stop.wait(_WAIT_SECONDS):
                return

    def _run(self, stop: threading.Event) -> None:
        try:
            for batch in self._open_batches():
                self._read.put(self._shard(batch))
                while not self._may_read.acquire(timeout=_WAIT_SECONDS):
                    if stop.is_set() or self._has_ended.is_set():
                        return
                if self._has_ended.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - take() raises it
            self._failure = error
