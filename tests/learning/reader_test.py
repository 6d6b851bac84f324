import threading
from collections.abc import Callable, Iterator
from typing import Any

from absl.testing import absltest

from kickstarting.learning import reader

_SECONDS = 60.0


class ReaderTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.stop = threading.Event()
        self.is_over = threading.Event()
        self.addCleanup(self.is_over.set)
        self.addCleanup(self.stop.set)
        self.asked: list[int] = []

    def _reader(
        self, stream: Any = None, look: Callable[[], None] = lambda: None
    ) -> reader.Reader:
        made = reader.Reader(
            stream or self._numbers, lambda batch: ("on the devices", batch), look
        )
        made.start(self.stop)
        return made

    def _numbers(self) -> Iterator[Any]:
        number = 0
        while True:
            self.asked.append(number)
            yield number
            number += 1

    def test_gives_what_was_moved_to_the_devices_in_order(self):
        made = self._reader()
        taken = [made.take(self.stop) for _ in range(3)]
        self.assertEqual(taken, [("on the devices", number) for number in range(3)])
        self.assertEqual(made.taken, 3)

    def test_reads_one_batch_ahead_and_no_more(self):
        made = self._reader()
        for number in range(3):
            made.take(self.stop)
            deadline = threading.Event()
            while len(self.asked) < number + 2:
                self.assertFalse(deadline.wait(0.01))
            self.assertFalse(deadline.wait(0.3))
            self.assertLen(self.asked, number + 2)

    def test_looks_about_while_nothing_comes_and_gives_nothing_once_told_to_stop(self):
        def stream() -> Iterator[Any]:
            self.is_over.wait()
            yield 0

        looks = []

        def look() -> None:
            looks.append(True)
            if len(looks) == 3:
                self.stop.set()

        made = self._reader(stream, look)
        self.assertIsNone(made.take(self.stop))
        self.assertLen(looks, 3)
        self.assertBetween(made.seconds_waited(), 0.5, _SECONDS)
        self.assertEqual(made.seconds_waited(), 0)

    def test_a_failure_of_the_stream_is_the_takers(self):
        def stream() -> Iterator[Any]:
            raise RuntimeError("the queue broke")
            yield

        made = self._reader(stream)
        with self.assertRaisesRegex(RuntimeError, "the queue broke"):
            made.take(self.stop)

    def test_waits_until_nothing_more_is_taken(self):
        made = self._reader()
        made.take(self.stop)
        made.end()
        made.wait(threading.Event())
        self.assertFalse(made._thread.is_alive())

    def test_nothing_is_waited_for_when_the_program_stops(self):
        def stream() -> Iterator[Any]:
            self.is_over.wait()
            yield 0

        made = self._reader(stream)
        self.stop.set()
        made.wait(self.stop)
        self.assertTrue(made._thread.is_alive())

    def test_there_is_nothing_to_wait_for_before_the_start(self):
        made = reader.Reader(self._numbers, lambda batch: batch, "a run")
        made.wait(threading.Event())
        self.assertEqual(self.asked, [])


if __name__ == "__main__":
    absltest.main()
