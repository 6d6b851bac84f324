"""A run with a process for each node is stopped, killed and resumed."""

import pathlib
import signal

import numpy as np
from absl.testing import absltest

from kickstarting.reporting import run_files
from tests.launch import program_run, reach


class StoppingLocalMpTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.create_tempdir().full_path)
        self.logdir, self.teacher = str(folder / "run"), str(folder / "teacher")
        program_run.save_random_teacher(self.teacher)

    def _start(self) -> program_run.ProgramRun:
        return program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            "--lp_launch_type=local_mp",
            f"--teachers={self.teacher}",
            "--kickstarting_weight=1",
            "--kickstarting_end_frames=1000000",
            "--total_frames=1000000",
            f"--logdir={self.logdir}",
        )

    def _newest_frames(self) -> int:
        return program_run.frames_of(program_run.checkpoints(self.logdir)[-1])

    def test_interrupt_then_kill_of_the_launcher_then_terminate(self):
        run = self._start()
        run.wait_for_frames(self.logdir, 0)
        reach.check_out_of_reach(self, run)
        nodes = [w for w in run.processes().values() if "process_entry" in w]
        self.assertLen(nodes, 8, "queue, learner, teacher, actor, and their keepers")
        run.interrupt()
        interrupted = program_run.check_stopped(self, run, signal.SIGINT, self.logdir)

        run = self._start()
        run.wait_for_frames(self.logdir, interrupted)
        run.kill()
        self.assertEqual(run.wait(), -signal.SIGKILL)
        self.assertEmpty(run.wait_until_gone(10), "nodes or workers outlive it")
        # The nodes stop in order: the learner loses nothing.
        killed = self._newest_frames()
        self.assertGreater(killed, interrupted)

        run = self._start()
        run.wait_for_frames(self.logdir, killed)
        run.terminate()
        stopped = program_run.check_stopped(self, run, signal.SIGTERM, self.logdir)
        self.assertGreater(stopped, killed)
        metrics = run_files.read_metrics(self.logdir)
        frames = metrics[run_files.FRAMES]
        np.testing.assert_array_less(0, np.diff(frames))
        weight = metrics[f"kickstarting_weight/{program_run.GRID}"]
        np.testing.assert_allclose(weight, 1 - frames / 1e6, atol=5e-3)
        np.testing.assert_array_less(np.diff(weight), 0)


if __name__ == "__main__":
    absltest.main()
