"""A population on one machine, as a person starts it; interrupted, it goes on."""

import json
import os

from absl.testing import absltest

from kickstarting.population import events as population_events
from kickstarting.reporting import run_files
from kickstarting.storage import checkpoints
from launch.monitoring import run_folder
from tests.launch import program_run

_MEMBERS = 2
_EVENTS = 4
# So many that a member is looked at between any two of its events.
_FRAMES = 1_600


class PopulationTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        folder = self.create_tempdir().full_path
        self.logdir = f"{folder}/run"
        teacher = f"{folder}/teacher"
        program_run.save_random_teacher(teacher)
        self.arguments = (
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            "--lp_launch_type=local_mt",
            f"--teachers={teacher}",
            f"--population_size={_MEMBERS}",
            f"--population_events={_EVENTS}",
            f"--logdir={self.logdir}",
        )

    def _members(self) -> list[str]:
        return [os.path.join(self.logdir, f"member_{i}") for i in range(_MEMBERS)]

    def test_evolves_is_interrupted_and_goes_on(self):
        arguments = (*self.arguments, f"--total_frames={_FRAMES}")
        first = program_run.ProgramRun(self, *arguments, slow_steps=True)
        for member in self._members():
            first.wait_for_frames(member, 640)
        first.interrupt()
        self.assertEqual(first.wait(), 130, first.stderr)
        self.assertEmpty(first.wait_until_gone(10))
        before = population_events.PopulationEvents(self.logdir).events
        self.assertLess(len(before), _MEMBERS * (_EVENTS + 1))
        self.assertGreater(len(before), _MEMBERS)

        again = program_run.ProgramRun(self, *arguments, slow_steps=True)
        self.assertEqual(again.wait(), 0, again.stderr)
        events = population_events.PopulationEvents(self.logdir).events
        self.assertEqual(events[: len(before)], before)
        self.assertLen(events, _MEMBERS * (_EVENTS + 1))
        for index, member in enumerate(self._members()):
            own = [each for each in events if each.member == index]
            self.assertEqual([each.number for each in own], list(range(_EVENTS + 1)))
            metrics = run_files.read_metrics(member)
            self.assertEqual(metrics["frames"][-1], _FRAMES)
            # One in each run, for all members, whatever their hyperparameters are.
            self.assertEqual(metrics["compilations"][-1], 2)
            # A row is a mean over a second, in which λ may have changed.
            name = "kickstarting_weight"
            ends = sorted([own[-1].before[name], own[-1].after[name]])
            weight = metrics["global_weight"][-1]
            self.assertBetween(weight, 0.999 * ends[0], 1.001 * ends[1])
            params, _ = checkpoints.load_params(member)
            self.assertNotEmpty(params)
            self.assertTrue(os.path.isdir(run_folder.checkpoints(member)))
        self.assertIn("Population", again.stdout)
        self.assertTrue(os.path.exists(os.path.join(self.logdir, "population.png")))
        with open(os.path.join(self.logdir, run_files.CONFIG_FILE)) as file:
            written = json.load(file)["config"]
        self.assertEqual(written["population"]["size"], _MEMBERS)


if __name__ == "__main__":
    absltest.main()
