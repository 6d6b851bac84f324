"""The evaluation at a run's end, and at an export, end and keep what they have."""

import json
import pathlib
import signal

from absl.testing import absltest

from launch.reports import progress
from tests.launch import program_run
from tests.launch.odd_levels import FAILING, SHORT, SLOW


class InterruptedReportTest(absltest.TestCase):
    def test_a_run_s_evaluation_goes_on_and_ends(self):
        logdir = pathlib.Path(self.create_tempdir().full_path, "run")
        kept = logdir / "scores.episodes.jsonl"
        arguments = (
            *program_run.SMALL_FLAGS,
            f"--tasks={SHORT},{SLOW}",
            "--action_repeat=1",
            f"--logdir={logdir}",
            "--lp_launch_type=local_mt",
            "--total_frames=20",
            "--evaluation_episodes=2",
        )
        run = program_run.ProgramRun(self, *arguments)
        run.wait_for(lambda: kept.exists() and len(kept.read_text().splitlines()) > 2)
        run.interrupt()
        self.assertEqual(run.wait(), 128 + signal.SIGINT, run.stderr)
        self.assertIn("The same command goes on", run.stderr)
        self.assertIn("Short-v0", run.stdout)
        scores = json.loads((logdir / progress.SCORES_FILE).read_text())
        self.assertIn(SLOW, scores["missing_episodes"])
        self.assertEqual(progress.evaluated_frames(str(logdir)), 0)

        again = program_run.ProgramRun(self, *arguments)
        self.assertEqual(again.wait(), 0, again.stdout + again.stderr)
        self.assertIn("nothing to train", again.stdout)
        self.assertIn("Goes on with 2 episodes", again.stderr)
        scores = json.loads((logdir / progress.SCORES_FILE).read_text())
        self.assertEqual(
            [each["mean_agent_steps"] for each in scores["tasks"]], [3, 200]
        )
        self.assertGreater(progress.evaluated_frames(str(logdir)), 0)
        self.assertFalse(kept.exists())

        with self.subTest("an export without a score makes no teacher"):
            out = logdir.parent / "teacher"
            export = program_run.ProgramRun(
                self,
                f"--checkpoint={logdir}",
                f"--out={out}",
                f"--tasks={SHORT},{FAILING}",
                "--episodes=2",
                module="launch.export_teacher",
            )
            self.assertEqual(export.wait(), 1, export.stderr)
            self.assertIn("No teacher was made", export.stderr)
            self.assertFalse(out.exists())
            self.assertTrue(out.with_name("teacher.episodes.jsonl").exists())


if __name__ == "__main__":
    absltest.main()
