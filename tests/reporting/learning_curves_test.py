"""Tests of reporting/learning_curves.py."""

import pathlib
import xml.etree.ElementTree

import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import image

from kickstarting.reporting import learning_curves


def _curve(
    label: str, seed: int, level: float, last: int = 1_000_000
) -> learning_curves.Curve:
    frames = np.arange(0, last + 1, 10_000)
    noise = np.random.default_rng(seed).normal(size=frames.size)
    returns = level * (1 - np.exp(-frames / 3e5)) + noise
    return learning_curves.Curve(label, frames, returns, seed)


def _of_colour(pixels: np.ndarray, colour: str) -> np.ndarray:
    rgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return (np.abs(pixels[..., :3] - rgb) < 0.01).all(axis=-1)


def _has_colour(pixels: np.ndarray, colour: str) -> bool:
    return bool(_of_colour(pixels, colour).any())


def _rows_of(pixels: np.ndarray, colour: str) -> float:
    return float(np.median(np.nonzero(_of_colour(pixels, colour))[0]))


class SmoothTest(parameterized.TestCase):
    def test_a_window_is_averaged(self):
        curve = learning_curves.Curve("a", np.arange(5), np.array([0.0, 3, 6, 3, 0]), 1)
        smoothed = learning_curves.smooth(curve, np.array([0.0, 2.0, 4.0]), window=2.0)
        np.testing.assert_allclose(smoothed, [1.5, 4.0, 1.5])

    def test_gaps_are_interpolated_and_the_outside_is_nan(self):
        curve = learning_curves.Curve("a", np.array([10, 20]), np.array([1.0, 3.0]), 1)
        smoothed = learning_curves.smooth(
            curve, np.array([5.0, 10, 15, 20, 25]), window=1.0
        )
        np.testing.assert_allclose(smoothed, [np.nan, 1, 2, 3, np.nan])

    @settings(deadline=None)
    @given(
        st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40),
        st.floats(0.1, 50),
    )
    def test_the_average_stays_between_the_extremes(self, returns, window):
        curve = learning_curves.Curve(
            "a", np.arange(len(returns)), np.array(returns), 1
        )
        grid = np.linspace(0, len(returns) - 1, 17)
        smoothed = learning_curves.smooth(curve, grid, window)
        self.assertTrue((smoothed >= min(returns) - 1e-6).all())
        self.assertTrue((smoothed <= max(returns) + 1e-6).all())


class CurveTest(parameterized.TestCase):
    @parameterized.parameters(
        ([], [], "at least one"),
        ([1, 2], [1.0], "as many returns as frames"),
        ([[1, 2]], [[1.0, 2.0]], "as many returns as frames"),
        ([1, 2], [1.0, np.nan], "not finite"),
        ([2, 1], [1.0, 2.0], "frames that fall"),
    )
    def test_bad_arrays_are_refused(self, frames, returns, message):
        with self.assertRaisesRegex(ValueError, message):
            learning_curves.Curve("a", np.array(frames), np.array(returns), 1)


class LearningCurvesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.png = pathlib.Path(self.create_tempdir().full_path) / "new" / "curves.png"

    def _draw(self, curves) -> tuple[np.ndarray, str]:
        learning_curves.learning_curves(curves, self.png, "doom:basic", 80.0, -3.5)
        svg = self.png.with_suffix(".svg").read_text()
        xml.etree.ElementTree.fromstring(svg)
        return image.imread(self.png), svg

    def test_conditions_have_their_own_colours(self):
        one = [_curve("from scratch", seed, 50) for seed in (1, 2, 3)]
        two = [_curve("kickstarted", seed, 90) for seed in (1, 2, 3)]
        first, second = learning_curves.COLOURS[:2]
        pixels, svg = self._draw(one + two)
        self.assertGreaterEqual(pixels.shape[1], 1200)
        self.assertTrue(_has_colour(pixels, first) and _has_colour(pixels, second))
        # Mean, band and three seeds of the second condition, at the least.
        self.assertGreaterEqual(svg.count(second.lower()), 5)
        pixels, _ = self._draw(one)
        self.assertTrue(_has_colour(pixels, first))
        self.assertFalse(_has_colour(pixels, second))

    def test_seeds_of_different_lengths_and_single_points(self):
        short = _curve("a", 1, 10, last=500_000)
        point = learning_curves.Curve("b", np.array([1000]), np.array([3.0]), 1)
        pixels, _ = self._draw([short, _curve("a", 2, 10), point])
        self.assertTrue(_has_colour(pixels, learning_curves.COLOURS[0]))
        self._draw([point])

    def test_the_same_curves_give_the_same_picture(self):
        curves = [_curve("a", seed, 10) for seed in (1, 2)]
        first, first_svg = self._draw(curves)
        second, second_svg = self._draw(curves)
        np.testing.assert_array_equal(first, second)
        self.assertEqual(first_svg, second_svg)

    def test_the_quantity_is_named(self):
        learning_curves.learning_curves(
            [_curve("kickstarted", 1, 50)], self.png, "title", quantity="mean score"
        )
        self.assertIn("mean score", self.png.with_suffix(".svg").read_text())

    def test_it_says_how_its_lines_are_to_be_read(self):
        for seeds, said in (((1,), "one seed each"), ((1, 2), "bold: mean of the")):
            curves = [_curve("a", seed, 50) for seed in seeds]
            learning_curves.learning_curves(curves, self.png, "title", note="NOTE")
            svg = self.png.with_suffix(".svg").read_text()
            for text in (said, "moving average over 4% of the frames", "NOTE"):
                self.assertIn(text, svg)

    @parameterized.parameters(1, 3, 7, 16)
    def test_no_label_is_cut_off(self, words):
        curves = [
            _curve(f"{number} " + "a teacher " * words, 1, 50) for number in "123"
        ]
        pixels, _ = self._draw(curves)
        for edge in (pixels[:, :4], pixels[:, -4:], pixels[-4:]):
            np.testing.assert_array_equal(edge[..., :3], 1.0)

    def test_nothing_to_draw_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no curves"):
            learning_curves.learning_curves([], self.png, "title")

    def test_once_the_colours_are_used_up_lines_are_dashed(self):
        curves = [_curve(str(label), 1, 10) for label in range(8)]
        _, svg = self._draw(curves)
        first = learning_curves.COLOURS[0].lower()
        lines = [line for line in svg.splitlines() if first in line]
        self.assertTrue(any("stroke-dasharray" in line for line in lines))
        self.assertTrue(any("stroke-dasharray" not in line for line in lines))

    def test_a_logarithmic_axis_has_its_powers_of_ten(self):
        curve = learning_curves.Curve(
            "weight", np.arange(3), np.array([1.0, 10, 100]), 1
        )
        drawn = []
        for logarithmic in (False, True):
            learning_curves.learning_curves(
                [curve], self.png, "title", logarithmic=logarithmic
            )
            drawn.append(self.png.with_suffix(".svg").read_text())
        self.assertNotEqual(*drawn)

    @parameterized.parameters((False, 50.5), (True, 10.0))
    def test_the_mean_is_the_one_in_the_middle_of_its_axis(self, logarithmic, mean):
        seeds = [
            learning_curves.Curve("a", np.arange(3), np.full(3, value), seed)
            for seed, value in enumerate((1.0, 100.0))
        ]
        learning_curves.learning_curves(
            seeds, self.png, "title", teacher_return=mean, logarithmic=logarithmic
        )
        pixels = image.imread(self.png)
        # Above the legend.
        panel = pixels[: int(0.8 * len(pixels))]
        bold = _rows_of(panel, learning_curves.COLOURS[0])
        # The dashes of the given mean lie on the bold line.
        self.assertAlmostEqual(bold, _rows_of(panel, "#595959"), delta=2)

    def test_more_conditions_than_kinds_of_line_are_refused(self):
        curves = [_curve(str(label), 1, 10) for label in range(15)]
        with self.assertRaisesRegex(ValueError, "two figures"):
            learning_curves.learning_curves(curves, self.png, "title")


if __name__ == "__main__":
    absltest.main()
