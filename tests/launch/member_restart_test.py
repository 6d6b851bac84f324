"""A member that dies goes on from its checkpoint, and the run ends as any other."""

import os
import pathlib
import signal

import numpy as np
from absl.testing import absltest

from kickstarting.population import events as population_events
from kickstarting.reporting import run_files
from kickstarting.storage import checkpoints
from launch.monitoring import run_folder
from tests.launch import program_run

_MEMBERS = 2
_EVENTS = 2
# So many that a member is looked at several times between two of its events, also
# where the other one's death keeps the controller for seconds.
_FRAMES = 1_600


class MemberRestartTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.logdir = f"{self.create_tempdir().full_path}/run"
        self.members = [
            os.path.join(self.logdir, f"member_{index}") for index in range(_MEMBERS)
        ]
        self.arguments = (
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            "--checkpoint_minutes=0.02",
            f"--population_size={_MEMBERS}",
            f"--population_events={_EVENTS}",
            f"--total_frames={_FRAMES}",
            f"--logdir={self.logdir}",
        )

    def _numbers(self, member: int) -> list[int]:
        """Returns those of a member's events."""
        events = population_events.PopulationEvents(self.logdir).events
        return [each.number for each in events if each.member == member]

    def _check_members(self) -> None:
        """Checks that each had all its frames, and each event once."""
        events = population_events.PopulationEvents(self.logdir)
        for index, member in enumerate(self.members):
            metrics = run_files.read_metrics(member)
            self.assertEqual(metrics["frames"][-1], _FRAMES)
            self.assertTrue((np.diff(metrics["frames"]) > 0).all())
            newest = program_run.checkpoints(member)[-1]
            self.assertEqual(program_run.frames_of(newest), _FRAMES)
            self.assertEqual(self._numbers(index), list(range(_EVENTS + 1)))
            # It was told what it was to be. A row is a mean over a second, in which it
            # may have changed.
            event = events.newest()[index]
            name = "optimiser_epsilon"
            ends = sorted([event.before[name], event.after[name]])
            self.assertBetween(metrics[name][-1], 0.999 * ends[0], 1.001 * ends[1])

    def test_a_killed_process(self):
        before = _compiled_updates()
        run = program_run.ProgramRun(
            self,
            *self.arguments,
            "--lp_launch_type=local_mp",
            slow_steps=True,
            compiled=absltest.TEST_TMPDIR.value,
        )
        folder = pathlib.Path(run_folder.checkpoints(self.members[1]))
        # The controller knows it, and it has what another one can go on from.
        run.wait_for(lambda: self._numbers(1)[-1:] > [0])
        run.wait_for(lambda: checkpoints.newest_sound(folder) is not None)
        (process,) = _processes(run, self.members[1])
        os.kill(process, signal.SIGKILL)
        self.assertLess(program_run.last_frames(self.members[1]), _FRAMES)

        self.assertEqual(run.wait(), 0, run.stdout + run.stderr)
        said = "".join(
            path.read_text(errors="replace")
            for path in pathlib.Path(run_folder.logs(self.logdir)).rglob("*")
            if path.is_file()
        )
        for words in (
            "member/1 was killed by signal 9: another process takes its place",
            "with another learner (restart 1)",
        ):
            self.assertIn(words, said)
        self._check_members()
        # One process compiled the update, if it had not been there before, and all
        # others have it from there.
        self.assertLessEqual(len(_compiled_updates() - before), 1)

    def test_an_update_and_a_step_that_fail(self):
        run = program_run.ProgramRun(
            self,
            *self.arguments,
            "--lp_launch_type=local_mt",
            slow_steps=True,
            module="tests.launch.failing_once",
        )
        self.assertEqual(run.wait(), 0, run.stdout + run.stderr)
        begins_again = "failed and begins again: RuntimeError"
        for words in (
            rf"member_\d's learner/0 {begins_again}\('one update'\)",
            rf"member_\d's actor/0 {begins_again}\('one step'\)",
            r"Member \d goes on at \d+ frames with another learner \(restart 1\)",
        ):
            self.assertRegex(run.stderr, words)
        self.assertNotIn("Traceback", run.stderr)
        self._check_members()
        for member in self.members:
            # All learners, also the one that took another's place, share it.
            metrics = run_files.read_metrics(member)
            self.assertEqual(metrics["compilations"][-1], 1)


def _processes(run: program_run.ProgramRun, member: str) -> list[int]:
    """Returns the ids of the processes that write a member's metrics."""
    metrics = os.path.join(member, run_files.METRICS_FILE)
    return [
        process
        for process in run.kept_nodes()
        if metrics in _open_files(pathlib.Path(f"/proc/{process}/fd"))
    ]


def _compiled_updates() -> set[pathlib.Path]:
    """Returns what JAX's persistent cache of this test holds of the update."""
    return set(pathlib.Path(absltest.TEST_TMPDIR.value).glob("*update_shard*-cache"))


def _open_files(descriptors: pathlib.Path) -> list[str]:
    found = []
    for path in descriptors.iterdir():
        try:
            found.append(os.readlink(path))
        except FileNotFoundError:
            continue
    return found


if __name__ == "__main__":
    absltest.main()
