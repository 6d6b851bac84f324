"""Tests of scores/aggregates.py."""

import dataclasses
import itertools
import math
import subprocess
import sys

import hypothesis
import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import strategies
from scipy import stats

from kickstarting.environments import base
from kickstarting.scores import aggregates
from kickstarting.scores import normalised as scores

_FIELDS = ("mean", "median", "iqm")

_samples = strategies.lists(strategies.floats(-1e3, 1e3), min_size=2, max_size=6)


def _reference(random: float = 0.0, reference: float = 100.0) -> base.ReferenceScore:
    return base.ReferenceScore(random, reference, source="this test")


def _references(tasks) -> dict[str, base.ReferenceScore]:
    return {task: _reference() for task in tasks}


def _by_task(samples) -> dict[str, np.ndarray]:
    return {f"task{index}": values for index, values in enumerate(samples)}


def _values(result: aggregates.Aggregates) -> list[float]:
    return [getattr(result, field).value for field in _FIELDS]


def _ends(result: aggregates.Aggregates) -> np.ndarray:
    """Returns the intervals, float64 [3, 2]."""
    return np.array(
        [(getattr(result, field).low, getattr(result, field).high) for field in _FIELDS]
    )


def _by_hand(task_scores: np.ndarray) -> np.ndarray:
    """Returns mean, median and IQM over the last axis."""
    ordered = np.sort(task_scores, axis=-1)
    cut = ordered.shape[-1] // 4
    middle = ordered[..., cut : ordered.shape[-1] - cut]
    return np.stack(
        [ordered.mean(-1), np.median(ordered, axis=-1), middle.mean(-1)], axis=-1
    )


class OfEpisodesTest(parameterized.TestCase):
    def test_the_mean_return_is_capped_and_not_an_episode(self):
        # The episodes' own scores are 180 and -20: capped first, their mean is 40.
        result = aggregates.of_episodes(
            {"a": [18.0, -2.0], "b": [50.0, 50.0]},
            {"a": _reference(0, 10), "b": _reference(0, 10)},
            seed=1,
        )
        # Uncapped, the mean over tasks would be 290: b would pay for a.
        self.assertEqual(_values(result), [90.0, 90.0, 90.0])

    def test_there_is_no_lower_cap(self):
        result = aggregates.of_episodes(
            {"a": [-30.0, -30.0]}, {"a": _reference(0, 10)}, seed=1
        )
        self.assertEqual(_values(result), [-300.0] * 3)

    @parameterized.parameters(1, 2, 3, 4, 8, 9, 30)
    def test_agrees_with_numpy(self, num_tasks):
        random = np.random.default_rng(num_tasks)
        returns = random.normal(50, 60, size=(num_tasks, 7))
        low = random.normal(0, 5, num_tasks)
        high = low + random.uniform(10, 200, num_tasks)
        names = [f"task{index}" for index in range(num_tasks)]
        result = aggregates.of_episodes(
            dict(zip(names, returns, strict=True)),
            {
                name: _reference(*ends)
                for name, *ends in zip(names, low, high, strict=True)
            },
            seed=1,
        )
        task_scores = np.minimum(100 * (returns.mean(1) - low) / (high - low), 100)
        np.testing.assert_allclose(_values(result), _by_hand(task_scores))

    def test_intervals_agree_with_a_bootstrap_by_hand(self):
        random = np.random.default_rng(3)
        # Tasks of unlike spread and number of episodes, one of them about the cap.
        samples = [
            random.normal(mean, spread, size)
            for mean, spread, size in (
                (20, 5, 40),
                (97, 20, 25),
                (60, 30, 30),
                (-10, 9, 10),
                (45, 15, 60),
            )
        ]
        resampled = np.stack(
            [
                random.choice(values, (20_000, len(values))).mean(1)
                for values in samples
            ],
            axis=-1,
        )
        expected = np.quantile(
            _by_hand(np.minimum(resampled, 100)), (0.025, 0.975), axis=0
        ).T
        returns = _by_task(samples)
        result = aggregates.of_episodes(returns, _references(returns), seed=1)
        widths = expected[:, 1] - expected[:, 0]
        errors = np.abs(_ends(result) - expected)
        self.assertTrue((errors < 0.1 * widths[:, None]).all(), errors)

    @hypothesis.given(strategies.lists(_samples, min_size=1, max_size=5))
    @hypothesis.settings(max_examples=25, deadline=None)
    def test_an_interval_holds_its_estimate(self, samples):
        returns = _by_task(samples)
        result = aggregates.of_episodes(returns, _references(returns), seed=1)
        low, high = _ends(result).T
        self.assertTrue((low <= _values(result)).all())
        self.assertTrue((high >= _values(result)).all())
        self.assertLessEqual(high.max(), 100)

    def test_it_also_does_where_the_cap_bends_all_resamples_down(self):
        random = np.random.default_rng(0)
        returns = {}
        for task in range(40):
            values = random.normal(0, 60, 20)
            returns[f"task{task}"] = values - values.mean() + 100.5
        result = aggregates.of_episodes(returns, _references(returns), seed=1)
        self.assertEqual(result.mean.value, 100)
        self.assertEqual(result.mean.high, 100)
        self.assertLess(result.mean.low, 99)

    @hypothesis.given(
        strategies.lists(strategies.floats(-1e3, 1e3), min_size=1, max_size=5),
        strategies.integers(2, 6),
    )
    @hypothesis.settings(max_examples=15, deadline=None)
    def test_constant_returns_leave_nothing_open(self, constants, episodes):
        returns = _by_task([np.full(episodes, value) for value in constants])
        result = aggregates.of_episodes(returns, _references(returns), seed=1)
        low, high = _ends(result).T
        np.testing.assert_allclose(low, high, rtol=1e-9, atol=1e-9)

    def test_a_seed_gives_the_same_intervals_again(self):
        returns = _by_task(np.random.default_rng(1).normal(40, 20, (3, 9)))
        first, again, other = (
            aggregates.of_episodes(returns, _references(returns), seed=seed)
            for seed in (1, 1, 2)
        )
        self.assertEqual(first, again)
        self.assertEqual(_values(first), _values(other))
        self.assertNotEqual(first, other)

    def test_more_episodes_narrow_the_intervals(self):
        random = np.random.default_rng(1)
        few = _by_task(random.normal(40, 20, (5, 10)))
        many = _by_task(random.normal(40, 20, (5, 1000)))
        wide, narrow = (
            np.diff(
                _ends(aggregates.of_episodes(each, _references(each), seed=1))
            ).ravel()
            for each in (few, many)
        )
        np.testing.assert_array_less(3 * narrow, wide)

    def test_one_episode_says_nothing_of_the_spread(self):
        returns = {"a": [1.0, 2.0, 3.0], "b": [7.0]}
        result = aggregates.of_episodes(returns, _references(returns), seed=1)
        self.assertAlmostEqual(result.mean.value, 4.5)
        self.assertTrue(np.isnan(_ends(result)).all())

    @parameterized.parameters(
        ({}, "at least one task"),
        ({"a": [1.0], "c": [1.0], "b": [1.0]}, "normalises b, c: leave"),
        ({"a": []}, "a needs at least one return"),
        ({"a": [1.0, math.nan]}, "a needs at least one return, and finite ones"),
    )
    def test_refuses(self, returns, message):
        with self.assertRaisesRegex(scores.ScoreError, message):
            aggregates.of_episodes(returns, {"a": _reference()}, seed=1)


class OfRunsTest(parameterized.TestCase):
    def test_runs_are_averaged_before_mean_and_median_but_not_before_the_iqm(self):
        runs = {
            "a": [0.0, 100.0, 50.0, 30.0],
            "b": [10.0, 20.0, 10.0, 20.0],
            "c": [-40.0, 0.0, 80.0, 100.0],
        }
        result = aggregates.of_runs(runs, seed=1)
        self.assertAlmostEqual(result.mean.value, np.mean([45, 15, 35]))
        self.assertAlmostEqual(result.median.value, 35)
        middle = sorted(itertools.chain(*runs.values()))[3:9]
        self.assertAlmostEqual(result.iqm.value, np.mean(middle))

    @hypothesis.given(strategies.lists(_samples, min_size=1, max_size=4))
    @hypothesis.settings(max_examples=15, deadline=None)
    def test_an_interval_holds_its_estimate(self, samples):
        result = aggregates.of_runs(_by_task(samples), seed=1)
        low, high = _ends(result).T
        self.assertTrue((low <= _values(result)).all())
        self.assertTrue((high >= _values(result)).all())

    def test_runs_are_resampled_within_their_task(self):
        # Between tasks the scores differ much, within each not at all.
        result = aggregates.of_runs({"a": [0.0] * 3, "b": [90.0] * 3}, seed=1)
        for estimate in dataclasses.astuple(result):
            np.testing.assert_allclose(estimate, 45.0)

    def test_refuses(self):
        with self.assertRaisesRegex(scores.ScoreError, "a needs at least one score"):
            aggregates.of_runs({"a": []}, seed=1)


class ProbabilityOfImprovementTest(parameterized.TestCase):
    @parameterized.parameters(
        ([3.0, 4.0], [1.0, 2.0], 1.0),
        ([1.0, 2.0], [3.0, 4.0], 0.0),
        ([1.0, 2.0], [1.0, 2.0], 0.5),
        ([1.0, 3.0], [2.0, 4.0], 0.25),
        ([2.0], [2.0], 0.5),
    )
    def test_is_the_share_of_pairs_that_are_won(self, ours, theirs, share):
        found = aggregates.probability_of_improvement(
            {"a": ours}, {"a": theirs}, seed=0
        )
        self.assertAlmostEqual(found.value, share)

    def test_agrees_with_mann_and_whitney_over_tasks(self):
        random = np.random.default_rng(0)
        ours = {name: list(random.normal(size=5)) for name in "abc"}
        theirs = {name: list(random.normal(0.3, size=4)) for name in "cba"}
        expected = np.mean(
            [
                stats.mannwhitneyu(ours[name], theirs[name]).statistic / 20
                for name in "abc"
            ]
        )
        found = aggregates.probability_of_improvement(ours, theirs, seed=0)
        self.assertAlmostEqual(found.value, expected)
        self.assertBetween(found.value, found.low, found.high)
        self.assertLess(found.low, found.high)

    def test_refuses_other_tasks(self):
        with self.assertRaisesRegex(scores.ScoreError, "same tasks"):
            aggregates.probability_of_improvement({"a": [1.0]}, {"b": [1.0]}, seed=0)


class ImportTest(absltest.TestCase):
    def test_scipy_is_imported_only_to_aggregate(self):
        program = (
            "import sys\n"
            "from kickstarting.scores import aggregates\n"
            "assert 'scipy.stats' not in sys.modules\n"
            "aggregates.of_runs({'a': [1.0, 2.0]}, seed=1)\n"
            "assert 'scipy.stats' in sys.modules\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True)


if __name__ == "__main__":
    absltest.main()
