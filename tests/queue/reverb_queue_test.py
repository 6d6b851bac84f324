"""The queue on a real Reverb server: order, bounds, dtypes, stopping."""

import threading
import time

import jax
import numpy as np
from absl.testing import absltest

from kickstarting.agent import trajectory
from kickstarting.queue import example as trajectory_example
from kickstarting.queue import reverb_queue
from tests import small_ring
from tests.counting_environment import SPEC

CONFIG = small_ring.small_config(batch_size=2)
EXAMPLE = trajectory_example.example(CONFIG, SPEC)
SIZE = 3


def _unroll(number: int) -> trajectory.Trajectory:
    filled = jax.tree.map(
        lambda x: np.full(np.shape(x), number, np.asarray(x).dtype), EXAMPLE
    )
    return filled._replace(actor=np.int32(number))


class TrajectoryQueueTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.server = reverb_queue.server(SIZE)
        self.client = reverb_queue.client(f"localhost:{self.server.port}")
        self.stop = threading.Event()
        self.writer = reverb_queue.UnrollWriter(self.client, self.stop.is_set)
        # The server would wait for who still writes, or reads.
        self.addCleanup(self.server.stop)
        self.addCleanup(self.writer.close)
        self.addCleanup(self.stop.set)

    def _batches(self, batch_size: int = 2):
        batches = reverb_queue.batches(
            self.client, EXAMPLE, batch_size, self.stop.is_set
        )
        self.addCleanup(batches.close)
        return batches

    def _write(self, count: int) -> threading.Thread:
        def write() -> None:
            try:
                for number in range(count):
                    self.written.append(self.writer.write(_unroll(number)))
            except reverb_queue.QueueStopped:
                self.was_stopped = True

        self.written: list[float] = []
        self.was_stopped = False
        thread = threading.Thread(target=write, daemon=True)
        thread.start()
        return thread

    def test_first_in_first_out_and_each_once(self):
        thread = self._write(10)
        batches = self._batches()
        numbers = [next(batches).actor.tolist() for _ in range(5)]
        self.assertEqual(numbers, [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]])
        thread.join(20)
        self.assertLen(self.written, 10)

    def test_shapes_dtypes_and_values_survive(self):
        unroll = _unroll(5)
        # No language: the instruction has length 0, and frames are bytes all the way.
        self.assertEqual(unroll.observation.instruction.shape, (5, 0))
        self.writer.write(unroll)
        batch = next(self._batches(batch_size=1))
        self.assertIsInstance(batch, trajectory.Trajectory)
        self.assertIsInstance(batch.observation, trajectory.Observation)
        self.assertEqual(batch.observation.pixels.dtype, np.uint8)
        self.assertEqual(batch.observation.instruction.shape, (1, 5, 0))

        def check(got, sent) -> None:
            self.assertEqual(got.dtype, np.asarray(sent).dtype)
            np.testing.assert_array_equal(got[0], sent)

        jax.tree.map(check, batch, unroll)

    def test_arrays_may_be_reused_after_writing(self):
        unroll = _unroll(1)
        self.writer.write(unroll)
        unroll.action[:] = 9
        np.testing.assert_array_equal(
            next(self._batches(batch_size=1)).action, np.ones((1, 4))
        )

    def test_a_full_queue_holds_its_writer_back(self):
        thread = self._write(SIZE + 2)
        thread.join(1.5)
        self.assertTrue(thread.is_alive())
        self.assertLen(self.written, SIZE)
        self.assertEqual(reverb_queue.size(self.client), SIZE)
        batches = self._batches()
        next(batches)
        next(batches)
        thread.join(20)
        self.assertFalse(thread.is_alive())
        # The wait is measured.
        self.assertGreater(sum(self.written), 1.0)

    def test_a_stop_ends_a_writer_that_is_held_back(self):
        thread = self._write(SIZE + 2)
        thread.join(1.0)
        self.assertTrue(thread.is_alive())
        self.stop.set()
        thread.join(10)
        self.assertFalse(thread.is_alive())
        self.assertTrue(self.was_stopped)
        start = time.monotonic()
        self.writer.close()
        self.assertLess(time.monotonic() - start, 10)

    def test_a_stop_ends_the_reader(self):
        self._write(SIZE)
        batches = self._batches()
        self.assertEqual(next(batches).actor.tolist(), [0, 1])
        self.stop.set()
        self.assertEmpty(list(batches))

    def test_a_stop_waits_for_no_unroll_that_is_read_ahead(self):
        self._write(2)
        batches = self._batches()
        next(batches)
        self.stop.set()
        start = time.monotonic()
        batches.close()
        self.assertLess(time.monotonic() - start, 2)


if __name__ == "__main__":
    absltest.main()
