"""Evaluations end, whatever a level does, and keep what they have."""

import json
import pathlib
import signal

from absl.testing import absltest

from tests.launch import odd_levels, program_run
from tests.launch.odd_levels import ENDLESS, FAILING, SHORT


class InterruptedEvaluationTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.teacher = str(self.folder / "teacher")
        program_run.save_random_teacher(self.teacher, odd_levels.SHORT)
        self.out = self.folder / "scores.json"
        self.kept = self.folder / "scores.episodes.jsonl"

    def _run(self, *arguments: str) -> program_run.ProgramRun:
        return program_run.ProgramRun(
            self,
            f"--checkpoint={self.teacher}",
            f"--out={self.out}",
            "--environments=2",
            *arguments,
            module="launch.evaluate",
        )

    def _scores(self) -> dict:
        return json.loads(self.out.read_text())

    def test_ctrl_c_leaves_what_was_measured_and_the_same_command_goes_on(self):
        arguments = (
            f"--tasks={SHORT},{ENDLESS}",
            "--episodes=3",
            "--max_episode_steps=100000000",
        )
        run = self._run(*arguments)
        run.wait_for(lambda: f"evaluating {SHORT} (1 of 2): 3 of 3" in run.stderr)
        self.assertLen(self.kept.read_text().splitlines(), 1 + 3)
        run.interrupt()
        self.assertEqual(run.wait(), 128 + signal.SIGINT, run.stderr)
        self.assertIn("Interrupted after 3 of 6 episodes", run.stderr)
        self.assertIn("The same command goes on", run.stderr)
        self.assertIn("Short-v0", run.stdout)
        scores = self._scores()
        (short,) = scores["tasks"]
        self.assertEqual((short["task"], short["episodes"]), (SHORT, 3))
        self.assertEqual(scores["missing_episodes"], {ENDLESS: 3})

        with self.subTest("another limit is another evaluation"):
            again = self._run(*arguments[:2], "--max_episode_steps=9")
            self.assertEqual(again.wait(), 0, again.stderr)
            self.assertIn("Starts afresh", again.stderr)
            self.assertIn("has not ended after 9 agent steps", again.stderr)
            self.assertIn("3 of 3 episodes were cut", again.stdout)
            scores = self._scores()
            self.assertEqual([each["cut_episodes"] for each in scores["tasks"]], [0, 3])
            self.assertEqual(scores["tasks"][1]["mean_agent_steps"], 9)
            self.assertEqual(scores["missing_episodes"], {})
            self.assertFalse(self.kept.exists())

    def test_a_level_that_cannot_be_played_costs_itself_alone(self):
        arguments = (f"--tasks={FAILING},{SHORT}", "--episodes=2")
        run = self._run(*arguments)
        self.assertEqual(run.wait(), 1, run.stderr)
        self.assertIn(f"{FAILING} could not be played", run.stderr)
        self.assertIn("no map [of it] is found", " ".join(run.stdout.split()))
        scores = self._scores()
        (short,) = scores["tasks"]
        self.assertEqual((short["task"], short["episodes"]), (SHORT, 2))
        self.assertIn("no map [of it] is found", scores["failures"][FAILING])
        again = self._run(*arguments)
        self.assertEqual(again.wait(), 1, again.stderr)
        self.assertIn("Goes on with 2 episodes", again.stderr)
        self.assertEqual(self._scores()["tasks"], scores["tasks"])

    def test_no_level_that_can_be_played_is_a_mistake(self):
        run = self._run(f"--tasks={FAILING}", "--episodes=2")
        self.assertEqual(run.wait(), 2, run.stderr)
        self.assertStartsWith(run.stderr.splitlines()[-1], "evaluate.py: the worker")
        self.assertFalse(self.out.exists())


if __name__ == "__main__":
    absltest.main()
