"""Tests of scores/normalised.py."""

import math
import statistics

from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from kickstarting.environments import base
from kickstarting.scores import normalised as scores

_FINITE = st.floats(-1e6, 1e6)


def _reference(random: float, reference: float) -> base.ReferenceScore:
    return base.ReferenceScore(random, reference, source="this test")


class ScoresTest(parameterized.TestCase):
    @parameterized.parameters(
        (4.1, 0.0),  # the random policy
        (66.6, 100.0),  # the reference
        (35.35, 50.0),
        (129.1, 200.0),
        (-58.4, -100.0),
    )
    def test_normalised_score(self, task_return, score):
        self.assertAlmostEqual(
            scores.normalised_score(task_return, _reference(4.1, 66.6)), score
        )

    def test_a_reference_below_random_still_counts_as_100(self):
        self.assertAlmostEqual(
            scores.normalised_score(-80.0, _reference(-20.0, -80.0)), 100.0
        )

    @parameterized.parameters((3.0, 3.0), (0.0, math.nan), (-math.inf, 1.0))
    def test_references_that_do_not_differ_are_refused(self, random, reference):
        with self.assertRaisesRegex(scores.ScoreError, "cannot normalise"):
            scores.normalised_score(1.0, _reference(random, reference))

    @parameterized.parameters((250.0, 100.0), (99.0, 99.0), (-30.0, -30.0))
    def test_only_the_top_is_capped(self, score, expected):
        self.assertEqual(scores.capped(score), expected)

    def test_a_return_that_is_not_a_number_is_no_perfect_score(self):
        self.assertTrue(math.isnan(scores.capped(math.nan)))

    def test_summary_of_known_returns(self):
        summary = scores.summarise([1.0, 2.0, 3.0, 4.0])
        self.assertEqual((summary.mean, summary.episodes), (2.5, 4))
        self.assertAlmostEqual(summary.standard_error, math.sqrt(5 / 3) / 2)

    @settings(deadline=None)
    @given(st.lists(_FINITE, min_size=2, max_size=50))
    def test_summary_agrees_with_the_standard_library(self, returns):
        summary = scores.summarise(returns)
        error = statistics.stdev(returns) / math.sqrt(len(returns))
        self.assertAlmostEqual(summary.mean, statistics.fmean(returns), places=6)
        self.assertAlmostEqual(summary.standard_error, error, places=4)

    def test_one_episode_has_no_standard_error(self):
        summary = scores.summarise([7.0])
        self.assertEqual(summary.mean, 7.0)
        self.assertTrue(math.isnan(summary.standard_error))

    def test_no_episode_is_refused(self):
        with self.assertRaisesRegex(scores.ScoreError, "at least one"):
            scores.summarise([])


if __name__ == "__main__":
    absltest.main()
