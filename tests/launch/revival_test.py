"""A killed node is replaced; one that ends by itself, or is stopped, is not."""

import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

from absl.testing import absltest, parameterized

from kickstarting import run_files
from launch import revival
from tests.launch import program_run

_CHILD = """
import os, pathlib, signal, sys, time
from launch import revival
revival.return_in_child("node", most_ends=3)
life = pathlib.Path(sys.argv[1], str(os.getpid()))
life.write_text(str(revival.predecessors()))
{end}
"""


class ReturnInChildTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _start(self, end: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", _CHILD.format(end=end), str(self.folder)],
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
        self.assertIn("node was killed by signal 9: another process takes", said)
        self.assertFalse(pathlib.Path(f"/proc/{second}/stat").exists())

    def test_children_that_are_killed_again_and_again_are_the_end(self):
        process = self._start("os.kill(os.getpid(), signal.SIGKILL)")
        _, said = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assertTrue(said.endswith("node was killed by signal 9 again and again\n"))
        counts = sorted(path.read_text() for path in self.folder.iterdir())
        self.assertEqual(counts, ["0", "1", "2"])

    @parameterized.parameters(0, 3)
    def test_a_child_that_ends_by_itself_is_the_end(self, status):
        process = self._start(f"sys.exit({status})")
        self.assertEqual(process.wait(60), status)
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
        self.stop = threading.Event()
        self.lives = 0

    def _work(self, fails: int, error: type[Exception] = ValueError) -> None:
        def work() -> None:
            self.lives += 1
            if self.lives <= fails:
                raise error(f"life {self.lives}")

        revival.keep_going("node", work, self.stop, hopeless=(KeyError,))

    def test_what_fails_begins_again_and_says_so_in_one_line(self):
        with self.assertLogs(level="WARNING") as logged:
            self._work(fails=3)
        self.assertEqual(self.lives, 4)
        self.assertLen(logged.output, 3)
        self.assertIn("node failed and begins again: ValueError('life 1')", str(logged))

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
            revival.keep_going("node", work, self.stop)


class PatienceTest(absltest.TestCase):
    def test_the_delay_doubles_up_to_a_longest(self):
        patience = revival.Patience()
        delays = [patience.after_end() for _ in range(10)]
        self.assertEqual(delays, [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30])

    def test_it_ends(self):
        patience = revival.Patience(most_ends=3)
        delays = [patience.after_end() for _ in range(3)]
        self.assertEqual(delays, [0.5, 1.0, None])


class TeacherKilledTest(absltest.TestCase):
    def test_the_ring_goes_on_and_another_server_takes_its_place(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        logdir, teacher = str(folder / "run"), str(folder / "teacher")
        program_run.save_random_teacher(teacher)
        run = program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            "--lp_launch_type=local_mp",
            f"--teachers={teacher}",
            "--kickstarting_schedule=constant",
            "--total_frames=1000000",
            f"--logdir={logdir}",
        )

        def latest(name: str) -> float:
            return float(run_files.read_metrics(logdir)[name][-1])

        run.wait_for_frames(logdir, 0)
        run.wait_for(lambda: latest("teacher_coverage") == 1)
        (first,) = run.kept_nodes()
        os.kill(first, signal.SIGKILL)
        run.wait_for(lambda: bool(set(run.kept_nodes()) - {first}))
        killed = program_run.last_frames(logdir)
        asked = latest("teacher_unrolls")
        run.wait_for_frames(logdir, killed)
        # The new server answers at the old one's address.
        run.wait_for(
            lambda: (
                latest("teacher_unrolls") > asked and latest("teacher_coverage") == 1
            )
        )
        run.terminate()
        self.assertEqual(run.wait(), 128 + signal.SIGTERM, run.stdout + run.stderr)
        self.assertEmpty(run.wait_until_gone(5))


if __name__ == "__main__":
    absltest.main()
