"""The queue in memory: order, bounds, dtypes, stopping; as tests of reverb_queue."""

import threading

import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.agent import trajectory
from kickstarting.queue import example, memory_queue
from kickstarting.queue.stopped import QueueStopped
from tests import small_ring
from tests.counting_environment import SPEC

CONFIG = small_ring.small_config(batch_size=2)
EXAMPLE = example.example(CONFIG, SPEC)
SIZE = 3
_SECONDS = 20


def _unroll(number: int, actor: int = 0) -> trajectory.Trajectory:
    filled = jax.tree.map(
        lambda x: np.full(np.shape(x), number, np.asarray(x).dtype), EXAMPLE
    )
    return filled._replace(actor=np.int32(actor), params_version=np.int32(number))


class MemoryQueueTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.queue = memory_queue.MemoryQueue(SIZE)
        self.stop = threading.Event()
        self.threads: list[threading.Thread] = []
        self.addCleanup(self._end)

    def _end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(_SECONDS)
            self.assertFalse(thread.is_alive())

    def _writer(self) -> memory_queue.UnrollWriter:
        return memory_queue.UnrollWriter(self.queue, self.stop.is_set)

    def _batches(self, batch_size: int = 2):
        return memory_queue.batches(self.queue, batch_size, self.stop.is_set)

    def _write(self, count: int, actor: int = 0) -> threading.Thread:
        """Writes unrolls 0..count - 1 from a thread of its own."""
        writer = self._writer()

        def write() -> None:
            try:
                for number in range(count):
                    self.written.append(writer.write(_unroll(number, actor)))
            except QueueStopped:
                self.was_stopped = True
            finally:
                writer.close()

        self.written: list[float] = []
        self.was_stopped = False
        thread = threading.Thread(target=write, daemon=True)
        self.threads.append(thread)
        thread.start()
        return thread

    def test_first_in_first_out_and_each_once(self):
        thread = self._write(10)
        batches = self._batches()
        numbers = [next(batches).params_version.tolist() for _ in range(5)]
        self.assertEqual(numbers, [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]])
        thread.join(_SECONDS)
        self.assertLen(self.written, 10)
        self.assertEqual(memory_queue.size(self.queue), 0)

    @parameterized.parameters(1, 2, 3)
    def test_many_writers_lose_and_repeat_nothing(self, batch_size):
        for actor in range(3):
            self._write(12, actor)
        batches = self._batches(batch_size)
        read = [next(batches) for _ in range(36 // batch_size)]
        actors = np.concatenate([batch.actor for batch in read])
        numbers = np.concatenate([batch.params_version for batch in read])
        for actor in range(3):
            self.assertEqual(numbers[actors == actor].tolist(), list(range(12)))

    def test_shapes_dtypes_and_values_survive(self):
        unroll = _unroll(5)
        # No language: the instruction has length 0, and frames are bytes all the way.
        self.assertEqual(unroll.observation.instruction.shape, (5, 0))
        self._writer().write(unroll)
        batch = next(self._batches(batch_size=1))
        self.assertIsInstance(batch, trajectory.Trajectory)
        self.assertIsInstance(batch.observation, trajectory.Observation)
        self.assertEqual(batch.observation.instruction.shape, (1, 5, 0))

        def check(got, sent) -> None:
            self.assertEqual(got.dtype, np.asarray(sent).dtype)
            np.testing.assert_array_equal(got[0], sent)

        jax.tree.map(check, batch, unroll)

    def test_arrays_may_be_reused_after_writing(self):
        unroll = _unroll(1)
        self._writer().write(unroll)
        unroll.action[:] = 9
        np.testing.assert_array_equal(
            next(self._batches(batch_size=1)).action, np.ones((1, 4))
        )

    def test_a_full_queue_holds_its_writer_back(self):
        thread = self._write(SIZE + 2)
        thread.join(1.0)
        self.assertTrue(thread.is_alive())
        self.assertLen(self.written, SIZE)
        self.assertEqual(memory_queue.size(self.queue), SIZE)
        next(self._batches())
        thread.join(_SECONDS)
        self.assertFalse(thread.is_alive())
        # The wait is measured.
        self.assertGreater(sum(self.written), 0.5)

    def test_a_stop_ends_a_writer_that_is_held_back(self):
        thread = self._write(SIZE + 2)
        thread.join(0.5)
        self.assertTrue(thread.is_alive())
        self.stop.set()
        thread.join(_SECONDS)
        self.assertFalse(thread.is_alive())
        self.assertTrue(self.was_stopped)

    def test_a_stop_ends_a_reader_that_waits(self):
        self._writer().write(_unroll(0))
        batches: list[trajectory.Trajectory] = []
        thread = threading.Thread(
            target=lambda: batches.extend(self._batches()), daemon=True
        )
        self.threads.append(thread)
        thread.start()
        thread.join(0.5)
        self.assertTrue(thread.is_alive())
        self.stop.set()
        thread.join(_SECONDS)
        self.assertFalse(thread.is_alive())
        self.assertEmpty(batches)

    def test_a_batch_that_the_queue_never_holds_is_refused(self):
        with self.assertRaisesRegex(ValueError, "3 unrolls never holds 4"):
            next(self._batches(SIZE + 1))


if __name__ == "__main__":
    absltest.main()
