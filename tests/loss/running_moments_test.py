"""Running moments against NumPy."""

import functools

import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.loss import running_moments

_GROUPS = 3


def _batch(seed, shape=(6, 20), mean=0.0, deviation=1.0):
    random = np.random.default_rng(seed)
    numbers = random.normal(mean, deviation, shape).astype(np.float32)
    counted = (random.random(shape) < 0.8).astype(np.float32)
    # The last group is in no batch.
    return numbers, counted, random.integers(0, _GROUPS - 1, shape[0], np.int32)


_of_batch = jax.jit(functools.partial(running_moments.of_batch, num_groups=_GROUPS))
_follow = jax.jit(running_moments.follow)


class RunningMomentsTest(parameterized.TestCase):
    def test_a_batch_has_the_moments_of_what_counts(self):
        numbers, counted, group = _batch(0, mean=3.0, deviation=2.0)
        moments = _of_batch(numbers, counted, group)
        for index in range(_GROUPS):
            own = numbers[(counted > 0) & (group == index)[:, None]]
            self.assertEqual(moments.count[index], own.size)
            if own.size:
                np.testing.assert_allclose(moments.mean[index], own.mean(), rtol=1e-5)
                np.testing.assert_allclose(
                    moments.second[index], np.mean(own**2), rtol=1e-5
                )

    def test_nothing_counts(self):
        numbers, counted, group = _batch(0)
        batch = _of_batch(numbers, np.zeros_like(counted), group)
        before = running_moments.initial(_GROUPS)
        jax.tree.map(
            np.testing.assert_array_equal, _follow(before, batch, 0.02), before
        )

    def test_devices_see_the_moments_of_the_whole_batch(self):
        numbers, counted, group = _batch(1, (4, 5))
        whole = _of_batch(numbers, counted, group)
        parts = jax.vmap(
            functools.partial(
                running_moments.of_batch, num_groups=_GROUPS, axis_name="devices"
            ),
            axis_name="devices",
        )(*(x.reshape(2, 2, *x.shape[1:]) for x in (numbers, counted, group)))
        jax.tree.map(
            lambda part, whole: np.testing.assert_allclose(
                part, np.stack([whole, whole]), rtol=1e-5
            ),
            parts,
            whole,
        )

    @parameterized.parameters((0.0, 1.0), (5.0, 0.2), (-100.0, 40.0))
    def test_they_come_to_those_of_the_numbers(self, mean, deviation):
        moments = running_moments.initial(_GROUPS)
        for seed in range(300):
            batch = _batch(seed, (6, 20), mean, deviation)
            moments = _follow(moments, _of_batch(*batch), 0.001)
        for index in range(_GROUPS - 1):
            np.testing.assert_allclose(
                moments.mean[index], mean, rtol=0.02, atol=0.1 * deviation
            )
            variance = moments.second[index] - moments.mean[index] ** 2
            np.testing.assert_allclose(np.sqrt(variance), deviation, rtol=0.15)
        # Nothing was seen of it.
        self.assertEqual((moments.mean[-1], moments.second[-1]), (0.0, 1.0))

    def test_the_first_batch_is_all_that_is_known(self):
        batch = _of_batch(*_batch(0, (6, 20), 5.0, 0.2))
        moments = _follow(running_moments.initial(_GROUPS), batch, 0.001)
        np.testing.assert_allclose(moments.mean[:2], batch.mean[:2], rtol=1e-6)
        np.testing.assert_allclose(moments.second[:2], batch.second[:2], rtol=1e-6)

    def test_how_it_began_is_forgotten(self):
        moments = running_moments.initial(_GROUPS)
        for seed in range(100):
            batch = _of_batch(*_batch(seed, (6, 20), 1000.0 if seed < 10 else 1.0))
            moments = _follow(moments, batch, 0.001)
        np.testing.assert_allclose(moments.mean[:2], 1.0, atol=0.2)

    def test_each_number_weighs_the_same_later(self):
        """An even batch has the step size as its share, another one by its numbers."""
        before = running_moments.Moments(*np.float32([[0, 0], [1, 1], [1e6, 1e6]]))
        batch = running_moments.Moments(*np.float32([[1, 1], [2, 2], [30, 10]]))
        after = _follow(before, batch, 0.02)
        np.testing.assert_allclose(after.mean, [0.03, 0.01], rtol=1e-5)
        np.testing.assert_allclose(after.second, [1.03, 1.01], rtol=1e-5)


if __name__ == "__main__":
    absltest.main()
