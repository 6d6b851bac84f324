"""An interval is written as in a book."""

import math

from absl.testing import absltest, parameterized

from kickstarting.config.ranges import Range


class RangeTest(parameterized.TestCase):
    @parameterized.parameters(
        # (declared, inside, outside, in words)
        ("[0, 1]", (0, 0.5, 1), (-1e-9, 1.1), "in [0, 1]"),
        ("(0, 1]", (1e-9, 1), (0, -1), "in (0, 1]"),
        ("[0, 1)", (0, 0.99), (1, 2), "in [0, 1)"),
        ("(0, inf)", (1e-300, 10**400), (0, -1), "above 0"),
        ("[2, inf)", (2, 1e300), (1, -5), "at least 2"),
        ("0 or [1024, 65000]", (0, 1024), (1, 65001, -1), "0 or in [1024, 65000]"),
        ("0 or [2, inf)", (0, 2), (1, -1), "0 or at least 2"),
        ("[0, 2147483647]", (2**31 - 1,), (2**31,), "in [0, 2147483647]"),
    )
    def test_what_is_in_it(self, text, inside, outside, words):
        within = Range.of(text)
        for number in inside:
            self.assertIn(number, within)
        for number in (*outside, math.nan, math.inf, -math.inf):
            self.assertNotIn(number, within)
        self.assertEqual(str(within), words)

    @parameterized.parameters("", "0..1", "[0, 1", "[0 1]", "above 0")
    def test_what_is_none(self, text):
        with self.assertRaises(TypeError):
            Range.of(text)


if __name__ == "__main__":
    absltest.main()
