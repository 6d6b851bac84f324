"""A killed node is replaced; one that ends by itself, or is stopped, is not."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

from absl.testing import absltest, parameterized

from kickstarting import run_files
from tests.launch import program_run

_CHILD = """
import os, pathlib, sys, time
from launch import revival
revival.return_in_child("node")
life = pathlib.Path(sys.argv[1], str(os.getpid()))
life.write_text(str(os.getppid()))
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
        (first,) = _teacher_servers(run)
        os.kill(first, signal.SIGKILL)
        run.wait_for(lambda: bool(set(_teacher_servers(run)) - {first}))
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


def _teacher_servers(run: program_run.ProgramRun) -> list[int]:
    """Returns the ids of the nodes whose parent is a node as well: their keeper."""
    nodes = {
        process
        for process, words in run.processes().items()
        if "process_entry" in words
    }
    servers = []
    for process in nodes:
        with contextlib.suppress(FileNotFoundError):
            stat = pathlib.Path(f"/proc/{process}/stat").read_text()
            if int(stat.rpartition(")")[2].split()[1]) in nodes:
                servers.append(process)
    return servers


if __name__ == "__main__":
    absltest.main()
