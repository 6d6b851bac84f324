"""Normalised advantages against their definition."""

import functools

import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.loss import advantages, running_moments

_LEAST = 1e-3
_normalise = jax.jit(functools.partial(advantages.normalise, least_deviation=_LEAST))


def _moments(deviation, count=1e6):
    second = np.float32(deviation) ** 2
    return running_moments.Moments(
        np.zeros_like(second), second, np.full_like(second, count)
    )


class AdvantagesTest(parameterized.TestCase):
    @parameterized.parameters((0.0, 1.0), (5.0, 0.5), (-100.0, 40.0))
    def test_normalised_they_have_mean_0_and_deviation_1(self, mean, deviation):
        random = np.random.default_rng(0)
        x = random.normal(mean, deviation, (6, 20)).astype(np.float32)
        x[3:] *= 10
        group = np.array([0, 0, 0, 1, 1, 1], np.int32)
        found = _normalise(x, np.ones_like(x), group, running_moments.initial(2))
        for rows in (found.advantages[:3], found.advantages[3:]):
            np.testing.assert_allclose(rows.mean(), 0.0, atol=1e-2)
            np.testing.assert_allclose(rows.std(), 1.0, atol=1e-2)

    def test_what_does_not_count_changes_nothing(self):
        x = np.random.default_rng(1).normal(3, 2, (6, 20)).astype(np.float32)
        counted = np.ones_like(x)
        counted[:, 5:8] = 0
        group = np.zeros(6, np.int32)
        found = _normalise(x, counted, group, running_moments.initial(1))
        x[:, 5:8] = 1e6
        other = _normalise(x, counted, group, running_moments.initial(1))
        jax.tree.map(np.testing.assert_array_equal, found, other)
        np.testing.assert_array_equal(found.advantages[:, 5:8], 0.0)

    def test_the_mean_is_the_batchs_own(self):
        """Where a critic is too low for a while, not all of its actions were good."""
        x = np.random.default_rng(3).normal(7, 1, (6, 20)).astype(np.float32)
        found = _normalise(
            x, np.ones_like(x), np.zeros(6, np.int32), _moments([1.0])
        ).advantages
        np.testing.assert_allclose(found.mean(), 0.0, atol=1e-5)
        np.testing.assert_allclose(found.std(), 1.0, rtol=0.1)

    def test_a_wide_start_is_forgotten(self):
        """The deviation is that of the advantages after some hundred batches."""
        random = np.random.default_rng(4)
        moments = running_moments.initial(1)
        for number in range(150):
            deviation = 5.0 if number < 15 else 1.0
            x = random.normal(0, deviation, (6, 20)).astype(np.float32)
            found = _normalise(x, np.ones_like(x), np.zeros(6, np.int32), moments)
            moments = found.moments
        np.testing.assert_allclose(found.advantages.std(), 1.0, rtol=0.15)

    def test_averaged_statistics_are_those_of_the_batches_before(self):
        x = np.random.default_rng(5).normal(3, 2, (6, 20)).astype(np.float32)
        before = running_moments.Moments(
            *(np.float32([value]) for value in (0.5, 4.25, 80))
        )
        found = advantages.normalise(
            x, np.ones_like(x), np.zeros(6, np.int32), before, _LEAST, fresh=False
        )
        np.testing.assert_allclose(found.advantages, (x - 0.5) / 2, rtol=1e-5)
        # All 80 + 120 weigh the same.
        np.testing.assert_allclose(
            found.moments.mean, (80 * 0.5 + x.sum()) / 200, rtol=1e-5
        )

    def test_a_quiet_batch_stays_quiet(self):
        quiet = np.random.default_rng(2).normal(0, 0.01, (6, 20)).astype(np.float32)
        group = np.zeros(6, np.int32)
        found = _normalise(quiet, np.ones_like(quiet), group, _moments([1.0]))
        np.testing.assert_allclose(
            found.moments.second, 1 - advantages.STEP_SIZE, rtol=1e-3
        )
        self.assertLess(float(found.advantages.std()), 0.02)

    @parameterized.parameters(1e-3, 0.2)
    def test_what_hardly_varies_is_not_blown_up(self, least):
        x = np.float32([[2.0, 2.0002]])
        found = advantages.normalise(
            x, np.ones_like(x), np.zeros(1, np.int32), _moments([0.0]), least
        )
        np.testing.assert_allclose(found.deviation, [least])
        np.testing.assert_allclose(
            found.advantages, np.array([[-1e-4, 1e-4]]) / least, rtol=1e-2
        )

    def test_each_group_has_its_own_deviation_where_that_is_larger(self):
        x = np.float32([[-1e-4, 1e-4], [-0.5, 0.5]])
        found = advantages.normalise(
            x, np.ones_like(x), np.arange(2), _moments([0.0, 0.5]), 0.2
        )
        np.testing.assert_allclose(found.deviation, [0.2, 0.5], rtol=1e-3)


if __name__ == "__main__":
    absltest.main()
