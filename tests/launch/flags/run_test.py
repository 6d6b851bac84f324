"""What the flags of a run become, those that are not given too."""

import dataclasses
import json
import pathlib
from typing import Any
from unittest import mock

from absl import flags
from absl.testing import absltest, flagsaver, parameterized

from kickstarting.config import recommended
from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.ring import parts
from launch.flags import run as run_flags
from tests.launch.flags.parsing import parsed

_GRID = "--tasks=gym:MiniGrid-Empty-5x5-v0"
_THIRTY = [f"doom:{number}" for number in range(30)]


class TasksTest(parameterized.TestCase):
    def test_a_whole_suite(self):
        with flagsaver.flagsaver(tasks=["doom:all"]):
            run = run_flags.config_from_flags()
        self.assertEqual(
            run.tasks, tuple(f"doom:{level}" for level in suites.levels("doom"))
        )
        self.assertGreaterEqual(len(run.tasks), 9)

    @parameterized.parameters(
        (["doom:basic"], "runs/doom_basic_seed1"),
        (["doom:basic", "doom:take_cover"], "runs/doom_basic_and_1_more_seed1"),
    )
    def test_a_run_is_named_after_its_tasks(self, tasks, expected):
        with flagsaver.flagsaver(tasks=tasks):
            self.assertEqual(run_flags.config_from_flags().logdir, expected)


class EnvironmentsTest(parameterized.TestCase):
    @parameterized.parameters(
        # (tasks, flags, environments of an actor)
        (4, {}, 16),
        (30, {}, 30),
        (30, {"num_actors": 150}, 16),
        (30, {"num_actors": 2}, 75),
        (30, {"environments_per_task": 5}, 150),
        (4, {"environments_per_task": 2}, 8),
        (4, {"environments_per_actor": 5}, 5),
    )
    def test_environments_of_an_actor(self, num_tasks, given, expected):
        with flagsaver.flagsaver(tasks=_THIRTY[:num_tasks], **given):
            run = run_flags.config_from_flags()
        self.assertEqual(run.environments_per_actor, expected)

    def test_both_are_refused(self):
        with (
            flagsaver.flagsaver(environments_per_actor=5, environments_per_task=5),
            self.assertRaisesRegex(config_lib.ConfigError, "exclude each other"),
        ):
            run_flags.config_from_flags()

    def test_tasks_are_dealt_evenly_over_all_actors(self):
        with flagsaver.flagsaver(
            tasks=_THIRTY, num_actors=4, environments_per_task=5, seed=3
        ):
            run = run_flags.config_from_flags()
        dealt: list[int] = []
        seeds: set[int] = set()
        for actor in range(run.num_actors):
            tasks, settings = parts.environment_settings(run, actor, 0)
            dealt.extend(tasks.tolist())
            seeds.update(each.seed for each in settings)
            self.assertEqual(
                [each.task for each in settings], [_THIRTY[task] for task in tasks]
            )
        counts = [dealt.count(task) for task in range(30)]
        self.assertGreaterEqual(min(counts), 5)
        self.assertLessEqual(max(counts) - min(counts), 1)
        self.assertLen(seeds, len(dealt))


class SavedTest(parameterized.TestCase):
    def _save(self, config: config_lib.Config, **launched: str) -> str:
        path = pathlib.Path(self.create_tempdir().full_path, "config.json")
        content = {"config": {**dataclasses.asdict(config), **launched}}
        path.write_text(json.dumps(content))
        return str(path)

    def test_nothing_else_is_needed(self):
        config = parsed(
            "--tasks=doom:basic,doom:take_cover",
            "--popart_per_task",
            "--teachers=doom:basic=a,doom:basic=b",
            "--teacher_factors=doom:basic=0.5",
            "--reward_scales=doom:take_cover=2,doom:basic=0.1",
            "--total_frames=3M",
            "--level_seeds=3-9",
            "--noshow",
            "--population_size=2",
            "--seed=4",
        )
        self.assertEqual(parsed(f"--config={self._save(config)}"), config)

    def test_flags_go_on_top_of_it(self):
        path = self._save(parsed("--total_frames=2M", "--teachers=a", "--seed=7"))
        config = parsed(f"--config={path}", "--total_frames=4M", "--noshow")
        self.assertEqual((config.total_frames, config.seed), (4_000_000, 7))
        self.assertEqual(config.kickstarting.end_frames, 1_000_000)
        self.assertEqual(config.logdir, "runs/doom_defend_the_center_seed7")
        self.assertFalse(config.show)
        # Also where it is the flag's default.
        again = parsed(f"--config={path}", "--seed=1", "--total_frames=1000000")
        self.assertEqual((again.seed, again.total_frames), (1, 1_000_000))

    def test_other_tasks_go_on_top_of_it(self):
        saved = parsed(
            "--tasks=doom:basic,doom:take_cover",
            "--teachers=a",
            "--popart_per_task",
            "--reward_scales=doom:take_cover=2,doom:basic=0.1",
        )
        path = self._save(saved)
        config = parsed(f"--config={path}", "--tasks=doom:basic")
        self.assertEqual(config.kickstarting.teachers, (("doom:basic", "a"),))
        self.assertEqual(config.network.num_values, 1)
        self.assertEqual(config.loss.reward_scales, (("doom:basic", 0.1),))
        config = parsed(f"--config={path}", "--tasks=doom:all")
        self.assertEqual(config.network.num_values, len(config.tasks))
        config = parsed(f"--config={path}", "--nopopart_per_task")
        self.assertEqual(config.network.num_values, 1)
        config = parsed(f"--config={path}", "--environments_per_task=20")
        self.assertEqual(config.environments_per_actor, 40)

    def test_how_it_was_launched_is_kept(self):
        config = parsed()
        path = self._save(config, lp_launch_type="local_mp")

        def launch_type(*arguments: str) -> str:
            with flagsaver.flagsaver():
                flags.FLAGS(["launch.train", *arguments])
                return run_flags.options_from_flags(config).lp_launch_type

        self.assertEqual(launch_type(), "local_mt")
        self.assertEqual(launch_type(f"--config={path}"), "local_mp")
        again = launch_type(f"--config={path}", "--lp_launch_type=local_mt")
        self.assertEqual(again, "local_mt")

    def test_what_cannot_be_read_names_the_flag(self):
        path = self._save(parsed(), wings="2")
        with self.assertRaisesRegex(
            config_lib.ConfigError, f"^--config: {path} has a setting that is unknown"
        ):
            parsed(f"--config={path}")
        with self.assertRaisesRegex(
            config_lib.ConfigError, "^--config: cannot read /no/such: No such file"
        ):
            parsed("--config=/no/such")

    def test_what_was_added_since_follows_from_the_rest(self):
        saved = json.loads(
            pathlib.Path(self._save(parsed("--total_frames=6M"))).read_text()
        )
        del saved["config"]["kickstarting"], saved["config"]["environments_per_actor"]
        path = pathlib.Path(self.create_tempdir().full_path, "config.json")
        path.write_text(json.dumps(saved))
        config = parsed(f"--config={path}", "--teachers=a")
        self.assertEqual(config.kickstarting.end_frames, 3_000_000)
        self.assertEqual(config.environments_per_actor, 16)


class UnsaidTest(parameterized.TestCase):
    """What nobody has said is a preset's, recommended, or as a run has begun."""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _notes(self, *arguments: str) -> str:
        with flagsaver.flagsaver():
            flags.FLAGS(["launch.train", *arguments])
            return "\n".join(run_flags.chosen_from_flags().notes)

    def _save(self, *arguments: str, **changed: Any) -> str:
        """Returns the path of the configuration that some flags make."""
        content = dataclasses.asdict(parsed(f"--logdir={self.folder}", *arguments))
        path = self.folder / "config.json"
        path.write_text(json.dumps({"config": {**content, **changed}}))
        return str(path)

    def test_what_is_recommended_is_taken_and_told(self):
        config = parsed(_GRID)
        self.assertEqual((config.action_repeat, config.frames_per_unroll), (1, 32))
        self.assertEqual(config.loss.entropy_cost, 0.01)
        notes = self._notes(_GRID)
        self.assertStartsWith(notes, "Settings: action_repeat=1, entropy_cost=0.01, ")
        self.assertIn("(recommended for gym)", notes)
        for name in recommended.ROWS["gym"]:
            self.assertIn(f"{name}=", notes)
        self.assertEndsWith(notes, "\nRewards: reward_clipping=abs_one")
        self.assertEqual(parsed(_GRID, "--norecommended").action_repeat, 4)
        self.assertNotIn("Settings", self._notes(_GRID, "--norecommended"))

    def test_flags_and_saved_configurations_go_over_it(self):
        given = parsed(_GRID, "--action_repeat=4", "--baseline_cost=0.5")
        self.assertEqual((given.action_repeat, given.loss.baseline_cost), (4, 0.5))
        self.assertEqual(given.loss.entropy_cost, 0.01)
        saved = self._save(_GRID, "--norecommended")
        anew = parsed(f"--config={saved}", "--logdir=elsewhere")
        self.assertEqual((anew.action_repeat, anew.loss.entropy_cost), (4, 0.013))

    def test_a_preset_goes_over_it_and_below_the_rest(self):
        config = parsed(_GRID, "--preset=paper", "--unroll_length=20")
        self.assertEqual((config.action_repeat, config.unroll_length), (4, 20))
        self.assertEqual(config.optimiser.name, "rmsprop")
        self.assertEqual(config.kickstarting.end_frames, 200_000)
        saved = self._save(_GRID)
        self.assertEqual(
            parsed(f"--config={saved}", "--preset=paper"), parsed(f"--config={saved}")
        )
        self.assertIn(
            "paper, where no default: nothing, all has been said",
            self._notes(f"--config={saved}", "--preset=paper"),
        )
        self.assertEqual(parsed(*run_flags.arguments(config)), config)

    def test_the_advice_of_a_preset_ends_only_where_it_falls(self):
        config = parsed("--preset=paper", "--kickstarting_schedule=constant")
        self.assertEqual(config.kickstarting.end_frames, 0)
        self.assertEqual(config.kickstarting.weight, 1.0)
        config = parsed("--preset=paper", "--teachers=a", "--teacher_use=dagger")
        self.assertEqual(config.kickstarting.guided_end_frames, 500_000)

    def test_environments_are_the_least(self):
        rows = {"doom": {"environments_per_actor": 8}}
        with mock.patch.dict(recommended.ROWS, rows, clear=True):
            for arguments, expected in (
                ((), 8),
                (("--tasks=doom:all",), len(suites.levels("doom"))),
                (("--environments_per_task=3",), 3),
            ):
                config = parsed(*arguments)
                self.assertEqual(config.environments_per_actor, expected)

    def test_scales_are_told(self):
        self.assertIn(
            "Rewards: doom:basic × 0.01, doom:take_cover × 1, then reward_clipping=abs",
            self._notes(
                "--tasks=doom:basic,doom:take_cover",
                "--reward_scales=doom:basic=0.01",
                "--reward_clipping=abs_one",
            ),
        )

    def test_a_run_goes_on_as_it_began(self):
        self._save(_GRID, "--norecommended", "--learning_rate=2e-3")
        again = (_GRID, f"--logdir={self.folder}")
        # It has written no checkpoint yet: it begins anew.
        self.assertEqual(parsed(*again).action_repeat, 1)
        (self.folder / "checkpoints").mkdir()
        config = parsed(*again)
        self.assertEqual((config.action_repeat, config.loss.entropy_cost), (4, 0.013))
        self.assertEqual(config.optimiser.learning_rate, 2e-3)
        told = self._notes(*again).splitlines()[0]
        self.assertStartsWith(
            told, f"Settings that {self.folder} was begun with: action_repeat=4, "
        )
        self.assertIn("entropy_cost=0.013", told)
        self.assertIn("learning_rate=0.002", told)
        self.assertEqual(parsed(*again, "--learning_rate=1e-4").action_repeat, 4)
        # Other tasks cannot go on there; that is told elsewhere.
        other = "--tasks=gym:MiniGrid-Empty-6x6-v0"
        self.assertEqual(parsed(*again, other).action_repeat, 1)

    def test_what_has_fallen_is_not_turned_up_again_by_more_frames(self):
        teacher = ("--tasks=doom:basic", "--teachers=a")
        self._save(*teacher, "--total_frames=400k")
        (self.folder / "checkpoints").mkdir()
        longer = (*teacher, f"--logdir={self.folder}", "--total_frames=1M")

        def end(*arguments: str) -> int:
            return parsed(*longer, *arguments).kickstarting.end_frames

        self.assertEqual(end(), 200_000)
        self.assertIn(
            "begun with: kickstarting_end_frames=200000", self._notes(*longer)
        )
        self.assertNotIn("begun with", self._notes(*longer, "--total_frames=400k"))
        self.assertEqual(end("--kickstarting_end_frames=300k"), 300_000)
        self.assertEqual(end("--kickstarting_schedule=constant"), 0)
        self.assertEqual(end("--noresume"), 500_000)
        self.assertEqual(end("--tasks=doom:take_cover"), 500_000)

    def test_guidance_that_has_ended_does_not_come_back(self):
        guided = ("--tasks=doom:basic", "--teachers=a", "--teacher_use=jump_start")
        self._save(*guided, "--total_frames=400k")
        (self.folder / "checkpoints").mkdir()
        longer = parsed(*guided, f"--logdir={self.folder}", "--total_frames=1M")
        self.assertEqual(longer.kickstarting.guided_end_frames, 200_000)

    def test_a_run_without_teachers_says_nothing_of_when_their_advice_ends(self):
        self._save("--tasks=doom:basic", "--total_frames=400k")
        (self.folder / "checkpoints").mkdir()
        helped = parsed(
            "--tasks=doom:basic",
            "--teachers=a",
            f"--logdir={self.folder}",
            "--total_frames=1M",
        )
        self.assertEqual(helped.kickstarting.end_frames, 500_000)

    def test_a_population_goes_on_as_it_began(self):
        self._save(_GRID, "--norecommended")
        (self.folder / "member_0" / "checkpoints").mkdir(parents=True)
        self.assertEqual(parsed(_GRID, f"--logdir={self.folder}").action_repeat, 4)

    def test_what_is_unknown_of_a_run_is_not_kept(self):
        self._save(_GRID, "--norecommended", wings=2)
        (self.folder / "checkpoints").mkdir()
        self.assertEqual(parsed(_GRID, f"--logdir={self.folder}").action_repeat, 1)


if __name__ == "__main__":
    absltest.main()
