"""An environment that hangs or fails hangs no run, and nothing that it starts stays."""

import os
import pathlib

from absl.testing import absltest, parameterized

from tests.environments import processes, unruly
from tests.launch import program_run


class UnrulyEnvironmentTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.create_tempdir().full_path)
        self.logdir, self.children = folder / "run", folder / "children"

    def _start(self, what: str, *arguments: str) -> program_run.ProgramRun:
        return program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            f"--tasks={unruly.task(what)}",
            f"--logdir={self.logdir}",
            *arguments,
            variables={unruly.CHILDREN: str(self.children)},
        )

    def _living_children(self) -> set[int]:
        if not self.children.exists():
            return set()
        started = map(int, self.children.read_text().split())
        return set(filter(processes.is_alive, started))

    @parameterized.parameters("InitHangs", "CloseHangs", "InitRaises", "CloseExits")
    def test_what_cannot_be_looked_at_is_refused(self, what):
        run = self._start(what, "--environment_deadline=20")
        self.assertEqual(run.wait(), 2, run.stderr)
        *told, line = run.stderr.splitlines()
        self.assertStartsWith(line, f"train.py: {unruly.task(what)} cannot be ")
        self.assertLen(told, int("Hangs" in what), run.stderr)
        self.assertNotIn("Traceback", run.stderr)
        self.assertFalse(self.logdir.exists())
        self.assertEmpty(run.wait_until_gone(5))
        self.assertEmpty(self._living_children())

    def test_the_look_ends_with_a_killed_launcher(self):
        run = self._start("InitHangs")
        run.wait_for(lambda: bool(self._living_children()))
        run.kill()
        self.assertEmpty(run.wait_until_gone(10))

    def test_a_worker_in_a_long_reset_ends_with_its_actor_and_its_run(self):
        run = self._start("ResetHangs", "--lp_launch_type=local_mp")

        def workers() -> set[int]:
            forked = {
                process: processes.descendants(process)
                for process, words in run.processes().items()
                if "fork_server" in words
            }
            # The others have forked them.
            return {
                process
                for process, started in forked.items()
                if started and not started & forked.keys()
            }

        run.wait_for(lambda: len(workers()) == 2)
        family = workers().union(*map(processes.descendants, workers()))
        self.assertLen(family, 4)
        (actor,) = run.kept_nodes("actor")
        os.kill(actor, 9)
        self.assertTrue(processes.wait_until_gone(family, seconds=10))
        # Another one takes its place; and now everything goes with the launcher.
        run.wait_for(lambda: len(workers()) == 2)
        run.kill()
        self.assertEmpty(run.wait_until_gone(40))
        self.assertEmpty(self._living_children())

    @parameterized.parameters("ResetHangs", "StepHangs")
    def test_a_run_to_which_nothing_comes_says_why_and_ends(self, what):
        # The end comes in the middle of what those do who have been replaced once.
        deadline = "--environment_deadline=20"
        run = self._start(what, deadline, "--standstill_minutes=0.5")
        self.assertEqual(run.wait(), 1, run.stderr)
        said = run.stdout + run.stderr
        self.assertRegex(
            said,
            "no first update after 0.5 minutes: the learner waits for unrolls; actor/0 "
            rf"has waited for 2 of its 2 environments \({unruly.task(what)}\) for ",
        )
        self.assertIn("standstill_minutes (0.5) are over", said)
        self.assertEmpty(run.wait_until_gone(5))
        self.assertEmpty(self._living_children())

    @parameterized.parameters(
        ("RenderHangs", "it takes more than 20 seconds"),
        ("RenderExits", "it ended its process with status 7: last words"),
    )
    def test_what_cannot_be_recorded_costs_the_video_alone(self, what, why):
        run = self._start(
            what,
            "--total_frames=200",
            "--evaluation_episodes=1",
            "--environment_deadline=20",
        )
        self.assertEqual(run.wait(), 0, run.stderr)
        self.assertIn(f"No video: {why}", run.stderr)
        self.assertTrue((self.logdir / "scores.json").exists())
        self.assertEmpty(list(self.logdir.glob("episode*")))
        self.assertNotIn("episode.mp4", run.stdout)
        self.assertEmpty(run.wait_until_gone(20))
        self.assertEmpty(self._living_children())


if __name__ == "__main__":
    absltest.main()
