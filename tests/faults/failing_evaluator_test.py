"""An evaluator that fails again and again costs a run nothing but its scores."""

import json
import pathlib

from absl.testing import absltest

from kickstarting.reporting import run_files
from launch.processes import restarts, revival
from tests.launch import program_run

_FRAMES = 3000


class FailingEvaluatorTest(absltest.TestCase):
    def test_training_goes_on_and_its_end_is_evaluated(self) -> None:
        logdir = pathlib.Path(self.create_tempdir().full_path) / "run"
        run = program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            "--lp_launch_type=local_mt",
            "--checkpoint_minutes=0.01",
            "--evaluation_episodes=1",
            "--evaluation_minutes=0.001",
            f"--total_frames={_FRAMES}",
            f"--logdir={logdir}",
            slow_steps=True,
            module="tests.launch.failing_evaluations",
        )
        self.assertEqual(run.wait(), 0, run.stdout + run.stderr)
        self.assertNotIn("Traceback", run.stderr)
        self.assertIn("No more evaluations during training, which goes on", run.stderr)
        told = [each.node for each in restarts.read(str(logdir))]
        self.assertEqual(told, ["evaluator/0"] * (revival.MOST_ENDS - 1))
        frames = run_files.read_metrics(str(logdir))[run_files.FRAMES]
        self.assertEqual(frames[-1], _FRAMES)
        scores = json.loads((logdir / "scores.json").read_text())
        self.assertLen(scores["tasks"][0]["returns"], 1)


if __name__ == "__main__":
    absltest.main()
