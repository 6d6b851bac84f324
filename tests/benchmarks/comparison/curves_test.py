"""Rolling returns, means over seeds, marks and falls."""

import numpy as np
from absl.testing import absltest, parameterized

from benchmarks.comparison import curves
from benchmarks.peers import training


def _curve(frames, returns) -> curves.Curve:
    frames = np.array(frames, np.float64)
    return curves.Curve(frames, frames / 10, np.array(returns, np.float64))


class OfEpisodesTest(absltest.TestCase):
    def test_it_begins_with_a_hundred_episodes_and_ends_with_the_budget(self) -> None:
        episodes = [
            training.Episode(10 * i, float(i), float(i), 0.01 * i) for i in range(300)
        ]
        curve, trained_return = curves.of_episodes(episodes, 2000)
        np.testing.assert_array_equal(curve.frames, np.arange(990, 2001, 10))
        np.testing.assert_array_equal(curve.seconds, np.arange(99, 201))
        np.testing.assert_allclose(curve.returns, np.arange(49.5, 151.0))
        self.assertAlmostEqual(trained_return, 1.505)

    def test_episodes_that_end_at_once_are_one_point(self) -> None:
        episodes = [training.Episode(i // 2, 1.0, float(i), 0.0) for i in range(104)]
        curve, _ = curves.of_episodes(episodes, 1000)
        np.testing.assert_array_equal(curve.frames, [49, 50, 51])
        np.testing.assert_allclose(curve.returns, [49.5, 51.5, 53.5])

    def test_too_few_episodes_are_no_curve(self) -> None:
        episodes = [training.Episode(i, 1.0, 1.0, 1.0) for i in range(99)]
        curve, trained_return = curves.of_episodes(episodes, 1000)
        self.assertEmpty(curve.frames)
        self.assertIsNone(trained_return)


class CurvesTest(parameterized.TestCase):
    def test_a_mean_is_of_all_seeds_or_not_there(self) -> None:
        mean = curves.mean([_curve([0, 20, 40], [0, 2, 4]), _curve([10, 50], [5, 5])])
        np.testing.assert_allclose(mean.frames, [10, 20, 40])
        np.testing.assert_allclose(mean.returns, [3, 3.5, 4.5])
        np.testing.assert_allclose(mean.seconds, [1, 2, 4])
        self.assertEmpty(curves.mean([_curve([], []), _curve([1], [1])]).frames)

    def test_the_first_place_counts(self) -> None:
        curve = _curve([10, 20, 30, 40], [1, 5, 2, 6])
        self.assertEqual(curves.first_at(curve, 5), (20, 2.0))
        self.assertIsNone(curves.first_at(curve, 7))

    @parameterized.parameters(
        ([0, 4, 8], 0.0),
        # From 6 to 3 on a way of 8.
        ([0, 6, 3, 8], 0.375),
        # Below where it began.
        ([2, 4, 0], 2.0),
        # The start is no peak.
        ([5, 1, 9], 0.0),
        ([2, 1, 0], None),
        ([], None),
    )
    def test_largest_fall(self, returns, fall) -> None:
        self.assertEqual(
            curves.largest_fall(_curve(range(len(returns)), returns)), fall
        )

    def test_a_thinned_curve_keeps_its_ends(self) -> None:
        curve = _curve(range(100), range(100)).thinned(3)
        np.testing.assert_array_equal(curve.frames, [0, 50, 99])
        self.assertLen(_curve([1, 2], [1, 2]).thinned(3).frames, 2)


if __name__ == "__main__":
    absltest.main()
