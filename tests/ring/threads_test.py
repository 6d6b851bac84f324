"""Parts as threads: who ends whom, and whose error is raised."""

import functools
import os
import signal
import threading
import time
from unittest import mock

from absl.testing import absltest

from kickstarting.ring import threads

_LONG = 60.0


class _Part:
    """Runs until it is stopped, or fails at once; remembers that it ended."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self._failure = failure
        self.has_ended = False

    def __call__(self, stop: threading.Event) -> None:
        if self._failure is None:
            stop.wait(_LONG)
        self.has_ended = True
        if self._failure is not None:
            raise self._failure


def _return_at_once(stop: threading.Event) -> None:
    del stop


class RunTogetherTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.stop = threading.Event()
        self.addCleanup(self.stop.set)

    def test_the_others_end_when_the_main_part_is_done(self):
        others = {"one": _Part(), "two": _Part()}
        threads.run_together(_return_at_once, others, self.stop)
        self.assertTrue(all(part.has_ended for part in others.values()))

    def test_a_part_that_fails_ends_all_and_its_own_error_is_raised(self):
        main, other, error = _Part(), _Part(), ValueError("of a part")
        with self.assertRaises(ValueError) as caught:
            threads.run_together(main, {"bad": _Part(error), "good": other}, self.stop)
        self.assertIs(caught.exception, error)
        self.assertTrue(main.has_ended)
        self.assertTrue(other.has_ended)

    def test_the_main_part_fails(self):
        other, error = _Part(), ValueError("of the main part")
        with self.assertRaises(ValueError) as caught:
            threads.run_together(_Part(error), {"good": other}, self.stop)
        self.assertIs(caught.exception, error)
        self.assertTrue(other.has_ended)

    def test_the_first_error_counts(self):
        first = ValueError("the first")

        def fail_when_stopped(stop: threading.Event) -> None:
            stop.wait(_LONG)
            raise RuntimeError("a consequence")

        with self.assertRaises(ValueError) as caught:
            threads.run_together(fail_when_stopped, {"bad": _Part(first)}, self.stop)
        self.assertIs(caught.exception, first)

    def test_somebody_else_asks_them_to_end(self):
        main, other, asked = _Part(), _Part(), threading.Event()
        threading.Timer(0.2, asked.set).start()
        threads.run_together(main, {"other": other}, self.stop, asked)
        self.assertTrue(main.has_ended)
        self.assertTrue(other.has_ended)

    def test_an_interrupt_is_raised_when_all_have_ended(self):
        kept: list[str] = []

        def keep(stop: threading.Event) -> None:
            stop.wait(_LONG)
            # As a checkpoint takes its time.
            time.sleep(0.5)
            kept.append("what was learned")

        # A real one: what Python does with a thread that is waited for is its own.
        interrupt = functools.partial(os.kill, os.getpid(), signal.SIGINT)
        threading.Timer(0.5, interrupt).start()
        other = _Part()
        with self.assertRaises(KeyboardInterrupt):
            threads.run_together(keep, {"other": other}, self.stop)
        self.assertEqual(kept, ["what was learned"])
        self.assertTrue(other.has_ended)

    def test_a_part_that_does_not_end_is_named(self):
        free = threading.Event()
        self.addCleanup(free.set)
        with (
            mock.patch.object(threads, "_SECONDS_TO_END", 0.2),
            self.assertRaisesRegex(TimeoutError, "^stubborn does not end$"),
        ):
            threads.run_together(
                _return_at_once,
                {"stubborn": lambda stop: free.wait(_LONG)},
                self.stop,
            )


if __name__ == "__main__":
    absltest.main()
