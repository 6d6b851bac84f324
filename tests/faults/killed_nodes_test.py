"""Of a run with a process for each node every node is killed, and the run goes on."""

import os
import pathlib
import signal
import time

import numpy as np
from absl.testing import absltest

from kickstarting.reporting import run_files
from launch.monitoring import node_reports
from launch.processes import restarts
from tests.launch import program_run

_GROUPS = ("teacher", "actor", "evaluator", "queue", "learner")


class KilledNodesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.create_tempdir().full_path)
        self.logdir, teacher = str(folder / "run"), str(folder / "teacher")
        program_run.save_random_teacher(teacher)
        self.run_ = program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            "--lp_launch_type=local_mp",
            f"--teachers={teacher}",
            "--kickstarting_schedule=constant",
            "--checkpoint_minutes=0.02",
            "--evaluation_episodes=1",
            "--evaluation_minutes=0.02",
            "--total_frames=100000000",
            f"--logdir={self.logdir}",
            slow_steps=True,
        )

    def _latest(self, name: str) -> float:
        return float(run_files.read_metrics(self.logdir)[name][-1])

    def _end(self, group: str, number: int) -> None:
        """Ends the process of a group's node by a signal, and waits for the next."""
        (process,) = self.run_.kept_nodes(group)
        os.kill(process, number)
        self.run_.wait_for(
            lambda: (
                bool(set(self.run_.kept_nodes(group)) - {process})
                and not os.path.exists(f"/proc/{process}/exe")
            )
        )

    def test_each_node_is_replaced(self):
        run = self.run_
        run.wait_for_frames(self.logdir, 0)
        run.wait_for(lambda: len(program_run.checkpoints(self.logdir)) > 1)
        for group in _GROUPS:
            self._check_replaced(group)
        evaluations = pathlib.Path(self.logdir, "evaluations.csv")
        lines = len(evaluations.read_text().splitlines())
        run.wait_for(lambda: len(evaluations.read_text().splitlines()) > lines)

        run.terminate()
        self.assertEqual(run.wait(), 128 + signal.SIGTERM, run.stdout + run.stderr)
        self.assertEmpty(run.wait_until_gone(5))
        self.assertNotIn("Traceback", run.stderr)
        frames = run_files.read_metrics(self.logdir)[run_files.FRAMES]
        np.testing.assert_array_less(0, np.diff(frames))
        told = [each.node for each in restarts.read(self.logdir)]
        self.assertEqual(told, [f"{group}/0" for group in _GROUPS])

    def _check_replaced(self, group: str) -> None:
        before = program_run.last_frames(self.logdir)
        asked = self._latest("teacher_unrolls")
        # An actor that is asked to end is no end of the run either.
        self._end(group, signal.SIGTERM if group == "actor" else signal.SIGKILL)
        ended = time.time()
        # The new one is there, at the old address.
        if group in ("teacher", "actor", "learner"):
            self.run_.wait_for(lambda: self._heard(f"{group}/0") > ended)
        self.run_.wait_for_frames(self.logdir, before)
        self.run_.wait_for(
            lambda: (
                self._latest("teacher_unrolls") > asked
                and self._latest("teacher_coverage") == 1
            )
        )

    def _heard(self, node: str) -> float:
        reports = node_reports.read(self.logdir)
        return reports.heard.get(node, 0.0) if reports else 0.0


if __name__ == "__main__":
    absltest.main()
