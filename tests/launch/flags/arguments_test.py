"""A configuration gives the flags that make it again."""

from absl import flags
from absl.testing import absltest, flagsaver, parameterized

from kickstarting.config import run as config_lib
from kickstarting.config import settings
from launch.flags import derived, options
from launch.flags import run as run_flags
from tests.launch.flags.parsing import parsed

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
            config = parsed(*given)
            self.assertNotEqual(config, parsed(*_ENOUGH), value)
            self.assertEqual(parsed(*run_flags.arguments(config)), config)

    def test_only_what_is_not_the_default(self):
        self.assertEqual(
            run_flags.arguments(parsed("--norecommended", "--seed=2", "--noshow")),
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
        arguments = run_flags.arguments(parsed("--norecommended", "--seed=2"), left_out)
        self.assertEqual(arguments[1], "--seed=2")

    def test_what_was_given_is_known(self):
        with flagsaver.flagsaver():
            flags.FLAGS(["launch.train", "--seed=1", "--entropy_cost", "0.1"])
            given = derived.given(config_lib.Config)
        self.assertEqual(given, {("seed",): 1, ("loss", "entropy_cost"): 0.1})


if __name__ == "__main__":
    absltest.main()
