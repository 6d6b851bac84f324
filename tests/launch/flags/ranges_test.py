"""A number out of its range is refused in a line that begins with its flag's name."""

from absl.testing import absltest, parameterized

from kickstarting.config import settings
from launch.flags import options
from tests import out_of_range
from tests.launch import refusal

_RANGES = {
    setting.flag: setting
    for kind in options.KINDS
    for setting in settings.declared(kind)
    if setting.flag and setting.within
}


class RangesTest(refusal.RefusalTest):
    @parameterized.parameters(*_RANGES)
    def test_out_of_range(self, flag: str) -> None:
        setting = _RANGES[flag]
        for value in out_of_range.values(setting):
            with self.subTest(value=value):
                self.check_refused(
                    (f"--{flag}={value}",), f"train: {flag} must be {setting.within}"
                )

    @parameterized.parameters(
        "--teacher_use=distillation",
        "--checkpoints_kept=1.5",
        "--level_seeds=9-0",
        "--level_seeds=0-9999999999",
        "--teacher_factors=basic=-1",
        "--teacher_factors=basic",
        "--teachers=a --total_frames=1",
        "--teachers=a --teacher_use=dagger --guided_end_frames=0",
        "--teachers=a --teacher_use=dagger --kickstarting_end_frames=9",
        "--teachers=a --teacher_use=dagger --kickstarting_weight=0",
        "--teachers=a --kickstarting_end_frames=0",
        "--teachers=a --teacher_factor_schedule=linear",
        "--teachers=a --kickstarting_schedule=exponential",
    )
    def test_what_does_not_fit_names_a_flag_that_was_typed(self, line: str) -> None:
        arguments = line.split()
        typed = arguments[-1].removeprefix("--").partition("=")[0]
        self.check_refused(arguments, typed)


if __name__ == "__main__":
    absltest.main()
