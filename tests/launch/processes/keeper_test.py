"""A killed process of a node is replaced; one that fails, or is stopped, is not."""

import os
import pathlib
import signal
import subprocess
import sys
import time

from absl.testing import absltest, parameterized

from launch.processes import restarts

_CHILD = """
import os, pathlib, signal, sys, time
from launch.processes import keeper

def work():
    life = pathlib.Path(sys.argv[1], "lives", str(os.getpid()))
    life.write_text(str(keeper.predecessors()))
    {end}

keeper.keep(sys.argv[1], "node/0", work, most_ends=3, done={done})
sys.exit("it returned")
"""


class KeepTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.logdir = pathlib.Path(self.create_tempdir().full_path)
        self.folder = self.logdir / "lives"
        self.folder.mkdir()

    def _start(self, end: str, done: str = "None") -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", _CHILD.format(end=end, done=done), str(self.logdir)],
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

    def _wait_until_gone(self, process: int) -> None:
        deadline = time.monotonic() + 30
        while pathlib.Path(f"/proc/{process}/cmdline").exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

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
        # Where the stop comes before its keeper knows of it, the system ends it.
        self._wait_until_gone(second)

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

    def test_a_long_life_that_does_nothing_is_no_new_beginning(self):
        # Each of them is.
        long_lives = "setattr(keeper.revival, '_LONG_LIFE_SECONDS', -1.0)"
        process = self._start(
            "os.kill(os.getpid(), signal.SIGKILL)", f"{long_lives} or (lambda: 0.0)"
        )
        self.assertEqual(process.wait(60), 1)
        self.assertLen(self._lives(3), 3)

    def test_children_that_do_something_are_replaced_for_as_long(self):
        process = self._start(
            "os.kill(os.getpid(), signal.SIGKILL)",
            "lambda: len(os.listdir(sys.argv[1] + '/lives'))",
        )
        self._lives(5)
        process.terminate()
        process.communicate(timeout=30)

    def test_a_child_that_fails_is_the_end(self):
        process = self._start("sys.exit(3)")
        self.assertEqual(process.wait(60), 3)
        self.assertLen(self._lives(1), 1)

    def test_a_child_that_raises_has_failed(self):
        process = self._start("raise ValueError('the work')")
        _, said = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assertIn("ValueError: the work", said)
        self.assertLen(self._lives(1), 1)

    def test_a_child_that_is_done_was_asked_to_end(self):
        process = self._start("return")
        _, said = process.communicate(timeout=60)
        self.assertTrue(said.endswith("node/0 was asked to end again and again\n"))
        self.assertLen(self._lives(3), 3)

    def test_the_child_ends_with_its_keeper(self):
        process = self._start("time.sleep(600)")
        (child,) = self._lives(1)
        process.kill()
        process.wait(30)
        self._wait_until_gone(child)


if __name__ == "__main__":
    absltest.main()
