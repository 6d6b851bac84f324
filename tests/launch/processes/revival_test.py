"""A killed node is replaced; one that fails, or is stopped, is not."""

import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

from absl.testing import absltest, parameterized

from launch.processes import restarts, revival

_CHILD = """
import os, pathlib, signal, sys, time
from launch.processes import revival
revival.return_in_child(sys.argv[1], "node/0", most_ends=3)
life = pathlib.Path(sys.argv[1], "lives", str(os.getpid()))
life.write_text(str(revival.predecessors()))
{end}
"""


class ReturnInChildTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.logdir = pathlib.Path(self.create_tempdir().full_path)
        self.folder = self.logdir / "lives"
        self.folder.mkdir()

    def _start(self, end: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", _CHILD.format(end=end), str(self.logdir)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.kill)
        return process

    def _lives(self, count: int) -> list[int]:
        """Waits until so many children have begun; returns their ids."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            begun = [path for path in self.folder.iterdir() if path.read_text()]
            if len(begun) >= count:
                return [int(path.name) for path in begun]
            time.sleep(0.05)
        raise AssertionError(f"not {count} children: {list(self.folder.iterdir())}")

    def test_a_killed_child_is_replaced_and_sigterm_ends_both(self):
        process = self._start("time.sleep(600)")
        (first,) = self._lives(1)
        os.kill(first, signal.SIGKILL)
        (second,) = set(self._lives(2)) - {first}
        process.terminate()
        _, said = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0)
        self.assertIn("node/0 was killed by signal 9: another process takes", said)
        (restart,) = restarts.read(str(self.logdir))
        self.assertEqual(restart.node, "node/0")
        self.assertEqual(restart.reason, "was killed by signal 9")
        self.assertFalse(pathlib.Path(f"/proc/{second}/stat").exists())

    def test_a_child_that_alone_is_asked_to_end_is_replaced(self):
        process = self._start(
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); time.sleep(600)"
        )
        (first,) = self._lives(1)
        os.kill(first, signal.SIGTERM)
        self._lives(2)
        process.terminate()
        _, said = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0)
        # The signal may come before its handler is there.
        self.assertRegex(said, "node/0 was (asked to end|killed by signal 15): another")

    def test_one_that_launchpads_alarm_ended_had_been_asked_to(self):
        process = self._start("os.kill(os.getpid(), signal.SIGALRM)")
        _, said = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assertIn("node/0 was asked to end: another process takes", said)

    def test_children_that_are_killed_again_and_again_are_the_end(self):
        process = self._start("os.kill(os.getpid(), signal.SIGKILL)")
        _, said = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        end = "node/0 was killed by signal 9 again and again\n"
        self.assertTrue(said.endswith(end))
        counts = sorted(path.read_text() for path in self.folder.iterdir())
        self.assertEqual(counts, ["0", "1", "2"])

    def test_a_child_that_fails_is_the_end(self):
        process = self._start("sys.exit(3)")
        self.assertEqual(process.wait(60), 3)
        self.assertLen(self._lives(1), 1)

    def test_the_child_ends_with_its_keeper(self):
        process = self._start("time.sleep(600)")
        (child,) = self._lives(1)
        process.kill()
        process.wait(30)
        deadline = time.monotonic() + 30
        while pathlib.Path(f"/proc/{child}/cmdline").exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)


class KeepGoingTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(
            absltest.mock.patch.object(revival, "_FIRST_DELAY_SECONDS", 0.01)
        )
        self.logdir = f"{self.create_tempdir().full_path}/run"
        self.stop = threading.Event()
        self.lives = 0

    def _work(self, fails: int, error: type[Exception] = ValueError) -> None:
        def work() -> None:
            self.lives += 1
            if self.lives <= fails:
                raise error(f"life {self.lives}")

        revival.keep_going(self.logdir, "node/0", work, self.stop, hopeless=(KeyError,))

    def test_what_fails_begins_again_and_says_so_in_one_line(self):
        with self.assertLogs(level="WARNING") as logged:
            self._work(fails=3)
        self.assertEqual(self.lives, 4)
        self.assertLen(logged.output, 3)
        failed = "run's node/0 failed and begins again: ValueError('life 1')"
        self.assertIn(failed, str(logged))
        reasons = [each.reason for each in restarts.read(self.logdir)]
        self.assertEqual(reasons, [f"ValueError('life {life}')" for life in (1, 2, 3)])

    def test_what_fails_again_and_again_is_given_up(self):
        with self.assertRaisesRegex(ValueError, f"life {revival.MOST_ENDS}$"):
            self._work(fails=100)

    def test_a_long_life_is_a_new_beginning(self):
        with absltest.mock.patch.object(revival, "_LONG_LIFE_SECONDS", -1.0):
            self._work(fails=3 * revival.MOST_ENDS)
        self.assertEqual(self.lives, 3 * revival.MOST_ENDS + 1)

    def test_what_is_hopeless_is_not_tried_again(self):
        with self.assertRaises(KeyError):
            self._work(fails=100, error=KeyError)
        self.assertEqual(self.lives, 1)

    def test_nothing_begins_again_when_the_program_stops(self):
        def work() -> None:
            self.stop.set()
            raise ValueError("the others are gone")

        with self.assertRaisesRegex(ValueError, "the others are gone"):
            revival.keep_going(self.logdir, "node/0", work, self.stop)


class PatienceTest(absltest.TestCase):
    def test_the_delay_doubles_up_to_a_longest(self):
        patience = revival.Patience()
        delays = [patience.after_end() for _ in range(10)]
        self.assertEqual(delays, [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30])

    def test_it_ends(self):
        patience = revival.Patience(most_ends=3)
        delays = [patience.after_end() for _ in range(3)]
        self.assertEqual(delays, [0.5, 1.0, None])


if __name__ == "__main__":
    absltest.main()
