"""What the flags of a run become, those that are not given too, and back."""

import dataclasses
import json
import pathlib
from typing import Any
from unittest import mock

from absl import flags
from absl.testing import absltest, flagsaver, parameterized

from kickstarting.config import recommended, settings
from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.ring import parts
from launch.flags import derived, options
from launch.flags import run as run_flags

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


def _parsed(*arguments: str) -> config_lib.Config:
    """Returns the configuration that launch.train makes of a command line."""
    with flagsaver.flagsaver():
        flags.FLAGS(["launch.train", *arguments])
        return run_flags.config_from_flags()


class SavedTest(parameterized.TestCase):
    def _save(self, config: config_lib.Config, **launched: str) -> str:
        path = pathlib.Path(self.create_tempdir().full_path, "config.json")
        content = {"config": {**dataclasses.asdict(config), **launched}}
        path.write_text(json.dumps(content))
        return str(path)

    def test_nothing_else_is_needed(self):
        config = _parsed(
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
        self.assertEqual(_parsed(f"--config={self._save(config)}"), config)

    def test_flags_go_on_top_of_it(self):
        path = self._save(_parsed("--total_frames=2M", "--teachers=a", "--seed=7"))
        config = _parsed(f"--config={path}", "--total_frames=4M", "--noshow")
        self.assertEqual((config.total_frames, config.seed), (4_000_000, 7))
        self.assertEqual(config.kickstarting.end_frames, 1_000_000)
        self.assertEqual(config.logdir, "runs/doom_defend_the_center_seed7")
        self.assertFalse(config.show)
        # Also where it is the flag's default.
        again = _parsed(f"--config={path}", "--seed=1", "--total_frames=1000000")
        self.assertEqual((again.seed, again.total_frames), (1, 1_000_000))

    def test_other_tasks_go_on_top_of_it(self):
        saved = _parsed(
            "--tasks=doom:basic,doom:take_cover",
            "--teachers=a",
            "--popart_per_task",
            "--reward_scales=doom:take_cover=2,doom:basic=0.1",
        )
        path = self._save(saved)
        config = _parsed(f"--config={path}", "--tasks=doom:basic")
        self.assertEqual(config.kickstarting.teachers, (("doom:basic", "a"),))
        self.assertEqual(config.network.num_values, 1)
        self.assertEqual(config.loss.reward_scales, (("doom:basic", 0.1),))
        config = _parsed(f"--config={path}", "--tasks=doom:all")
        self.assertEqual(config.network.num_values, len(config.tasks))
        config = _parsed(f"--config={path}", "--nopopart_per_task")
        self.assertEqual(config.network.num_values, 1)
        config = _parsed(f"--config={path}", "--environments_per_task=20")
        self.assertEqual(config.environments_per_actor, 40)

    def test_how_it_was_launched_is_kept(self):
        config = _parsed()
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
        path = self._save(_parsed(), wings="2")
        with self.assertRaisesRegex(
            config_lib.ConfigError, f"^--config: {path} has a setting that is unknown"
        ):
            _parsed(f"--config={path}")
        with self.assertRaisesRegex(
            config_lib.ConfigError, "^--config: cannot read /no/such: No such file"
        ):
            _parsed("--config=/no/such")

    def test_what_was_added_since_follows_from_the_rest(self):
        saved = json.loads(
            pathlib.Path(self._save(_parsed("--total_frames=6M"))).read_text()
        )
        del saved["config"]["kickstarting"], saved["config"]["environments_per_actor"]
        path = pathlib.Path(self.create_tempdir().full_path, "config.json")
        path.write_text(json.dumps(saved))
        config = _parsed(f"--config={path}", "--teachers=a")
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
        content = dataclasses.asdict(_parsed(f"--logdir={self.folder}", *arguments))
        path = self.folder / "config.json"
        path.write_text(json.dumps({"config": {**content, **changed}}))
        return str(path)

    def test_what_is_recommended_is_taken_and_told(self):
        config = _parsed(_GRID)
        self.assertEqual((config.action_repeat, config.frames_per_unroll), (1, 32))
        self.assertEqual(config.loss.entropy_cost, 0.01)
        notes = self._notes(_GRID)
        self.assertStartsWith(notes, "Settings: action_repeat=1, entropy_cost=0.01, ")
        self.assertIn("(recommended for gym)", notes)
        for name in recommended.ROWS["gym"]:
            self.assertIn(f"{name}=", notes)
        self.assertEndsWith(notes, "\nRewards: reward_clipping=abs_one")
        self.assertEqual(_parsed(_GRID, "--norecommended").action_repeat, 4)
        self.assertNotIn("Settings", self._notes(_GRID, "--norecommended"))

    def test_flags_and_saved_configurations_go_over_it(self):
        given = _parsed(_GRID, "--action_repeat=4", "--baseline_cost=0.5")
        self.assertEqual((given.action_repeat, given.loss.baseline_cost), (4, 0.5))
        self.assertEqual(given.loss.entropy_cost, 0.01)
        saved = self._save(_GRID, "--norecommended")
        anew = _parsed(f"--config={saved}", "--logdir=elsewhere")
        self.assertEqual((anew.action_repeat, anew.loss.entropy_cost), (4, 0.013))

    def test_a_preset_goes_over_it_and_below_the_rest(self):
        config = _parsed(_GRID, "--preset=paper", "--unroll_length=20")
        self.assertEqual((config.action_repeat, config.unroll_length), (4, 20))
        self.assertEqual(config.optimiser.name, "rmsprop")
        self.assertEqual(config.kickstarting.end_frames, 200_000)
        saved = self._save(_GRID)
        self.assertEqual(
            _parsed(f"--config={saved}", "--preset=paper"), _parsed(f"--config={saved}")
        )
        self.assertIn(
            "paper, where no default: nothing, all has been said",
            self._notes(f"--config={saved}", "--preset=paper"),
        )
        self.assertEqual(_parsed(*run_flags.arguments(config)), config)

    def test_the_advice_of_a_preset_ends_only_where_it_falls(self):
        config = _parsed("--preset=paper", "--kickstarting_schedule=constant")
        self.assertEqual(config.kickstarting.end_frames, 0)
        self.assertEqual(config.kickstarting.weight, 1.0)
        config = _parsed("--preset=paper", "--teachers=a", "--teacher_use=dagger")
        self.assertEqual(config.kickstarting.guided_end_frames, 500_000)

    def test_environments_are_the_least(self):
        rows = {"doom": {"environments_per_actor": 8}}
        with mock.patch.dict(recommended.ROWS, rows, clear=True):
            for arguments, expected in (
                ((), 8),
                (("--tasks=doom:all",), len(suites.levels("doom"))),
                (("--environments_per_task=3",), 3),
            ):
                config = _parsed(*arguments)
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
        self.assertEqual(_parsed(*again).action_repeat, 1)
        (self.folder / "checkpoints").mkdir()
        config = _parsed(*again)
        self.assertEqual((config.action_repeat, config.loss.entropy_cost), (4, 0.013))
        self.assertEqual(config.optimiser.learning_rate, 2e-3)
        told = self._notes(*again).splitlines()[0]
        self.assertStartsWith(
            told, f"Settings that {self.folder} was begun with: action_repeat=4, "
        )
        self.assertIn("entropy_cost=0.013", told)
        self.assertIn("learning_rate=0.002", told)
        self.assertEqual(_parsed(*again, "--learning_rate=1e-4").action_repeat, 4)
        # Other tasks cannot go on there; that is told elsewhere.
        other = "--tasks=gym:MiniGrid-Empty-6x6-v0"
        self.assertEqual(_parsed(*again, other).action_repeat, 1)

    def test_what_has_fallen_is_not_turned_up_again_by_more_frames(self):
        teacher = ("--tasks=doom:basic", "--teachers=a")
        self._save(*teacher, "--total_frames=400k")
        (self.folder / "checkpoints").mkdir()
        longer = (*teacher, f"--logdir={self.folder}", "--total_frames=1M")

        def end(*arguments: str) -> int:
            return _parsed(*longer, *arguments).kickstarting.end_frames

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
        longer = _parsed(*guided, f"--logdir={self.folder}", "--total_frames=1M")
        self.assertEqual(longer.kickstarting.guided_end_frames, 200_000)

    def test_a_run_without_teachers_says_nothing_of_when_their_advice_ends(self):
        self._save("--tasks=doom:basic", "--total_frames=400k")
        (self.folder / "checkpoints").mkdir()
        helped = _parsed(
            "--tasks=doom:basic",
            "--teachers=a",
            f"--logdir={self.folder}",
            "--total_frames=1M",
        )
        self.assertEqual(helped.kickstarting.end_frames, 500_000)

    def test_a_population_goes_on_as_it_began(self):
        self._save(_GRID, "--norecommended")
        (self.folder / "member_0" / "checkpoints").mkdir(parents=True)
        self.assertEqual(_parsed(_GRID, f"--logdir={self.folder}").action_repeat, 4)

    def test_what_is_unknown_of_a_run_is_not_kept(self):
        self._save(_GRID, "--norecommended", wings=2)
        (self.folder / "checkpoints").mkdir()
        self.assertEqual(_parsed(_GRID, f"--logdir={self.folder}").action_repeat, 1)


_ENOUGH = (
    "--norecommended",
    "--tasks=doom:basic,doom:take_cover",
    "--teachers=a",
    "--kickstarting_final_weight=0.1",
    "--teacher_factor_final_share=0.1",
    "--teacher_factor_end_frames=20",
)
# Where the next number, or any text, would not do.
_VALUES = {
    "tasks": ["doom:basic", "doom:all"],
    "teachers": ["b,c", "module:make,doom:basic=own"],
    "teacher_factors": ["doom:basic=0.5,a=2"],
    "reward_scales": ["doom:basic=0.5", "doom:take_cover=2,doom:basic=0.1"],
    "level_seeds": ["3-9", "5"],
    "kickstarting_points": ["0:4,200000:1,400000:0"],
    "queue_size": ["8"],
    "population_perturb_factor": ["1.5"],
    "base_port": ["2000"],
    "metrics_port": ["2000"],
}
_SETTINGS = {
    setting.flag: setting
    for kind in (config_lib.Config, options.Shorthands)
    for setting in settings.declared(kind)
    if setting.flag
}


def _others(setting: settings.Setting) -> list[str]:
    """Returns values that are not a setting's default, as a person would type them."""
    if setting.flag in _VALUES:
        return _VALUES[setting.flag]
    if setting.kind is bool:
        return ["false" if setting.default else "true"]
    if setting.choices:
        return [each for each in setting.choices if each != setting.default]
    if setting.kind is str:
        return ["some place, with 'quotes'"]
    if setting.kind is int:
        return [str(setting.default + 1)]
    return [str(setting.default / 2 or 0.75)]


class ArgumentsTest(parameterized.TestCase):
    @parameterized.parameters(*_SETTINGS)
    def test_make_the_configuration_again(self, flag: str):
        for value in _others(_SETTINGS[flag]):
            given = [*_ENOUGH, f"--{flag}={value}"]
            if flag == "teacher_use" and value != "kickstarting":
                # Of one teacher, with no schedule.
                given.remove("--teacher_factor_end_frames=20")
            if value == "piecewise":
                given.append("--kickstarting_points=0:4,200000:1,400000:0")
            config = _parsed(*given)
            self.assertNotEqual(config, _parsed(*_ENOUGH), value)
            self.assertEqual(_parsed(*run_flags.arguments(config)), config)

    def test_only_what_is_not_the_default(self):
        self.assertEqual(
            run_flags.arguments(_parsed("--norecommended", "--seed=2", "--noshow")),
            [
                "--norecommended",
                "--logdir=runs/doom_defend_the_center_seed2",
                "--seed=2",
                "--environments_per_actor=16",
                "--noshow",
                "--guided_end_frames=0",
                "--kickstarting_schedule=linear",
                "--kickstarting_end_frames=500000",
            ],
        )
        left_out = ("logdir", "environments_per_actor", "guided_end_frames")
        arguments = run_flags.arguments(
            _parsed("--norecommended", "--seed=2"), left_out
        )
        self.assertEqual(arguments[1], "--seed=2")

    def test_what_was_given_is_known(self):
        with flagsaver.flagsaver():
            flags.FLAGS(["launch.train", "--seed=1", "--entropy_cost", "0.1"])
            given = derived.given(config_lib.Config)
        self.assertEqual(given, {("seed",): 1, ("loss", "entropy_cost"): 0.1})


if __name__ == "__main__":
    absltest.main()
