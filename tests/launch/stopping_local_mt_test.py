"""A run as threads of one process is stopped, killed and resumed; on real engines."""

import pathlib
import signal

import numpy as np
from absl.testing import absltest

from kickstarting.reporting import run_files
from tests.launch import program_run, reach


class StoppingLocalMtTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.logdir = str(pathlib.Path(self.create_tempdir().full_path) / "run")

    def _start(self) -> program_run.ProgramRun:
        return program_run.ProgramRun(
            self,
            *program_run.SMALL_FLAGS,
            "--tasks=doom:basic",
            "--anneal",
            "--total_frames=1000000",
            "--checkpoint_minutes=0.02",
            f"--logdir={self.logdir}",
        )

    def test_interrupt_then_kill_then_resume_from_the_older_checkpoint(self):
        run = self._start()
        run.wait_for_frames(self.logdir, 0)
        reach.check_out_of_reach(self, run)
        words = list(run.processes().values())
        # Two workers, and what has forked them.
        self.assertLen([w for w in words if "fork_server" in w], 3, words)
        self.assertLen([w for w in words if "+viz_controlled" in w], 2, words)
        run.interrupt()
        interrupted = program_run.check_stopped(self, run, signal.SIGINT, self.logdir)
        self.assertGreater(interrupted, 0)

        run = self._start()
        run.wait_for_frames(self.logdir, interrupted)
        before = len(program_run.checkpoints(self.logdir))
        run.wait_for(lambda: len(program_run.checkpoints(self.logdir)) > before)
        run.kill()
        self.assertEqual(run.wait(), -signal.SIGKILL)
        self.assertEmpty(run.wait_until_gone(10), "workers or engines outlive it")

        *_, older, newest = program_run.checkpoints(self.logdir)
        for file in (newest / "state").rglob("*"):
            if file.is_file():
                file.write_bytes(file.read_bytes()[:-1])
        resumed_at = program_run.frames_of(older)
        self.assertGreaterEqual(resumed_at, interrupted)

        run = self._start()
        run.wait_for(lambda: program_run.checkpoints(self.logdir)[-1] != newest)
        run.terminate()
        stopped = program_run.check_stopped(self, run, signal.SIGTERM, self.logdir)
        self.assertIn(f"Passing over checkpoint {newest}", run.stderr)
        self.assertGreater(stopped, resumed_at)
        self._check_metrics(stopped)

    def _check_metrics(self, stopped: int) -> None:
        """Checks that three runs look like one."""
        metrics = run_files.read_metrics(self.logdir)
        frames = metrics[run_files.FRAMES]
        np.testing.assert_array_less(0, np.diff(frames))
        self.assertEqual(frames[-1], stopped)
        # The learning rate's schedule is a function of the frames: a row holds its mean
        # over the updates since the row before.
        expected = 5e-4 * (1 - frames / 1e6)
        np.testing.assert_allclose(metrics["learning_rate"], expected, atol=5e-6)
        np.testing.assert_array_less(np.diff(metrics["learning_rate"]), 0)
        # So are the updates, which the optimiser's state counts.
        np.testing.assert_array_equal(metrics["updates"], frames / 80)


if __name__ == "__main__":
    absltest.main()
