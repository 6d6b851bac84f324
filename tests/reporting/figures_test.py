"""Tests of reporting/figures.py."""

import math

from absl.testing import absltest, parameterized

from kickstarting.reporting import figures


class UnitsTest(parameterized.TestCase):
    @parameterized.parameters(
        (0.4, "0s"),
        (59.6, "1m 00s"),
        (125, "2m 05s"),
        (3 * 3600 + 59, "3h 00m"),
        (50 * 3600, "2d 2h"),
        (math.nan, "?"),
        (math.inf, "?"),
    )
    def test_duration(self, seconds, expected):
        self.assertEqual(figures.duration(seconds), expected)

    @parameterized.parameters(
        (0, "0"),
        (999, "999"),
        (12_340, "12.3k"),
        (999_999, "1M"),
        (10_000_000, "10M"),
        (1.5e9, "1.5G"),
    )
    def test_short(self, count, expected):
        self.assertEqual(figures.short(count), expected)

    @parameterized.parameters(
        (figures.number, 1234.56, "1,235"),
        (figures.number, -12.345, "-12.35"),
        (figures.number, None, "-"),
        (figures.score, 1234.56, "1,234.6"),
        (figures.score, math.nan, "-"),
        (figures.count, 1234.56, "1,235"),
        (figures.count, None, "-"),
        (figures.percent, 0.125, "12%"),
        (figures.percent, math.nan, "-"),
    )
    def test_what_is_unknown_is_a_dash(self, write, value, expected):
        self.assertEqual(write(value), expected)


if __name__ == "__main__":
    absltest.main()
