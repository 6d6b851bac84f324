"""Whole numbers are read as people write them."""

from absl import flags
from absl.testing import absltest, parameterized

from launch.flags import counts


class CountsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("1000000", 1_000_000),
        ("1e6", 1_000_000),
        ("1E6", 1_000_000),
        ("2M", 2_000_000),
        ("1.5M", 1_500_000),
        ("500k", 500_000),
        ("500K", 500_000),
        ("10G", 10_000_000_000),
        (".5k", 500),
        ("2.0", 2),
        ("0", 0),
        ("-3", -3),
        ("-2k", -2000),
        ("1_000", 1000),
        ("0x10", 16),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("1.000000000000000000000001e24", 1000000000000000000000001),
        (7, 7),
    )
    def test_is(self, given, number):
        self.assertEqual(counts.CountParser().parse(given), number)

    @parameterized.parameters(
        "1.5", "1e-3", "1.0005k", "many", "", "k", "e6", "1e6e6", "2m", "2 M", "inf",
        "nan", "1e999999999", "9" * 100_000 + "k", True, None, 1.5,
    )  # fmt: skip
    def test_is_none(self, given):
        with self.assertRaisesRegex(ValueError, "whole number, such as .* 1e6, 2M or"):
            counts.CountParser().parse(given)

    def test_a_flag(self):
        values = flags.FlagValues()
        flags.DEFINE(counts.CountParser(), "frames", 5, "Of it.", values)
        values(["program", "--frames", "2M"])
        self.assertEqual(values.frames, 2_000_000)
        with self.assertRaisesRegex(flags.Error, "flag --frames=1.5: must be a whole"):
            values(["program", "--frames=1.5"])


if __name__ == "__main__":
    absltest.main()
