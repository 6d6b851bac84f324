"""Advantages' moments against their definition."""

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting import advantages


def _batch(seed, mean=0.0, deviation=1.0, shape=(6, 20)):
    random = np.random.default_rng(seed)
    x = random.normal(mean, deviation, shape).astype(np.float32)
    return x, (random.random(shape) < 0.8).astype(np.float32)


class AdvantagesTest(parameterized.TestCase):
    def test_moments_are_of_the_steps_that_count(self):
        x, counted = _batch(0, 3.0, 2.0)
        moments = advantages.of_batch(x, counted)
        np.testing.assert_allclose(moments.mean, x[counted > 0].mean(), rtol=1e-5)
        np.testing.assert_allclose(
            advantages.deviation(moments), x[counted > 0].std(), rtol=1e-4
        )

    def test_a_batch_in_which_no_step_counts(self):
        x, counted = _batch(0)
        moments = advantages.of_batch(x, np.zeros_like(counted))
        self.assertEqual(float(moments.mean), 0.0)
        self.assertTrue(np.all(np.isfinite(advantages.normalise(x, moments))))

    def test_devices_see_the_moments_of_the_whole_batch(self):
        x, counted = _batch(1, shape=(4, 5))
        whole = advantages.of_batch(x, counted)
        parts = jax.vmap(
            lambda x, counted: advantages.of_batch(x, counted, "devices"),
            axis_name="devices",
        )(x.reshape(2, 2, 5), counted.reshape(2, 2, 5))
        np.testing.assert_allclose(parts.mean, np.full(2, whole.mean), rtol=1e-5)
        np.testing.assert_allclose(parts.second, np.full(2, whole.second), rtol=1e-5)

    @parameterized.parameters((0.0, 1.0), (5.0, 0.2), (-100.0, 40.0))
    def test_normalised_they_have_mean_0_and_deviation_1(self, mean, deviation):
        moments = advantages.initial()
        for updates in range(10):
            x, _ = _batch(updates, mean, deviation)
            batch = advantages.of_batch(x, np.ones_like(x))
            moments = advantages.follow(moments, batch, jnp.int32(updates))
        # The first batches are averaged, so that these are the moments of all ten.
        x = np.stack([_batch(updates, mean, deviation)[0] for updates in range(10)])
        normalised = advantages.normalise(x, moments)
        np.testing.assert_allclose(normalised.mean(), 0.0, atol=1e-2)
        np.testing.assert_allclose(normalised.std(), 1.0, atol=1e-2)

    def test_a_quiet_batch_stays_quiet(self):
        moments = advantages.Moments(jnp.float32(0.0), jnp.float32(1.0))
        quiet, counted = _batch(2, deviation=0.01)
        batch = advantages.of_batch(quiet, counted)
        moments = advantages.follow(moments, batch, jnp.int32(1000))
        np.testing.assert_allclose(moments.second, 1 - advantages.STEP_SIZE, rtol=1e-3)
        self.assertLess(float(advantages.normalise(quiet, moments).std()), 0.02)

    def test_what_never_varies_is_not_blown_up(self):
        moments = advantages.Moments(jnp.float32(2.0), jnp.float32(4.0))
        np.testing.assert_allclose(
            advantages.normalise(np.float32([2.0, 2.001]), moments), [0, 1], atol=1e-2
        )


if __name__ == "__main__":
    absltest.main()
