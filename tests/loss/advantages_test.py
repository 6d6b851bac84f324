"""Normalised advantages against their definition."""

import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.loss import advantages, running_moments


def _moments(mean, deviation):
    mean, deviation = np.float32(mean), np.float32(deviation)
    return running_moments.Moments(mean, mean**2 + deviation**2, np.ones_like(mean))


class AdvantagesTest(parameterized.TestCase):
    @parameterized.parameters((0.0, 1.0), (5.0, 0.2), (-100.0, 40.0))
    def test_normalised_they_have_mean_0_and_deviation_1(self, mean, deviation):
        random = np.random.default_rng(0)
        x = random.normal(mean, deviation, (6, 20)).astype(np.float32)
        x[3:] *= 10
        group = np.array([0, 0, 0, 1, 1, 1], np.int32)
        moments = running_moments.initial(2)
        batch = running_moments.of_batch(x, np.ones_like(x), group, 2)
        moments = running_moments.follow(moments, batch, advantages.STEP_SIZE)
        normalised = jax.jit(advantages.normalise)(x, group, moments)
        for rows in (normalised[:3], normalised[3:]):
            np.testing.assert_allclose(rows.mean(), 0.0, atol=1e-2)
            np.testing.assert_allclose(rows.std(), 1.0, atol=1e-2)

    def test_a_quiet_batch_stays_quiet(self):
        quiet = np.random.default_rng(2).normal(0, 0.01, (6, 20)).astype(np.float32)
        group = np.zeros(6, np.int32)
        moments = _moments([0.0], [1.0])._replace(count=np.float32([1e6]))
        batch = running_moments.of_batch(quiet, np.ones_like(quiet), group, 1)
        moments = running_moments.follow(moments, batch, advantages.STEP_SIZE)
        np.testing.assert_allclose(moments.second, 1 - advantages.STEP_SIZE, rtol=1e-3)
        normalised = advantages.normalise(quiet, group, moments)
        self.assertLess(float(normalised.std()), 0.02)

    def test_what_never_varies_is_not_blown_up(self):
        np.testing.assert_allclose(
            advantages.normalise(
                np.float32([[2.0, 2.001]]),
                np.zeros(1, np.int32),
                _moments([2.0], [0.0]),
            ),
            [[0, 1]],
            atol=1e-2,
        )


if __name__ == "__main__":
    absltest.main()
