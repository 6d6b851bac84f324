"""The whole program as threads of one process, to its end."""

import pathlib

from absl.testing import absltest

from kickstarting.reporting import run_files
from tests.launch import finished_program, program_run


class TrainLocalMtTest(finished_program.FinishedProgramTest):
    launch_type = "local_mt"

    def test_kickstarted_run(self):
        self.check_run()

    def test_doom(self):
        logdir = str(pathlib.Path(self.create_tempdir().full_path) / "run")
        run = program_run.ProgramRun(
            self,
            *program_run.SMALL_FLAGS,
            "--tasks=doom:basic",
            "--total_frames=1600",
            f"--logdir={logdir}",
        )
        self.assertEqual(run.wait(), 0, run.stdout + run.stderr)
        self.assertEmpty(run.wait_until_gone(5))
        metrics = run_files.read_metrics(logdir)
        self.assertEqual(metrics[run_files.FRAMES][-1], 1600)
        # A reward of -1 for each of its frames at least.
        self.assertLess(metrics["value_target"][-1], 0)
        self.assertEqual(metrics["worker_restarts"][-1], 0)


if __name__ == "__main__":
    absltest.main()
