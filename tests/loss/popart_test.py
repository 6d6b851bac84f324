"""PopArt against its definition."""

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.loading import rlax_loader
from kickstarting.loss import popart, running_moments

rlax = rlax_loader.load()


def _params(random: np.random.Generator, outputs: int = 1) -> dict:
    return {
        "core": {"bias": jnp.ones(3)},
        "value": {
            "kernel": jnp.asarray(random.normal(size=(4, outputs)), jnp.float32),
            "bias": jnp.asarray(random.normal(size=outputs), jnp.float32),
        },
    }


def _moments(targets, task=None, outputs: int = 1):
    task = np.zeros(len(targets), np.int32) if task is None else task
    return running_moments.of_batch(targets, np.ones_like(targets), task, outputs)


def _statistics(mean, deviation) -> popart.Statistics:
    mean, scale = jnp.float32(mean), jnp.float32(deviation)
    moments = running_moments.Moments(mean, mean**2 + scale**2, 1e6 + 0 * mean)
    return popart.Statistics(moments, scale)


_update = jax.jit(popart.update)


class PopArtTest(parameterized.TestCase):
    @parameterized.parameters((0.0, 1.0), (80.0, 20.0), (-3.0, 0.01))
    def test_values_stay_while_their_scale_moves(self, mean, deviation):
        random = np.random.default_rng(0)
        outputs = 3
        params = _params(random, outputs)
        statistics = _statistics(*(np.full(outputs, x) for x in (mean, deviation)))
        features = random.normal(size=(6, 5, 4)).astype(np.float32)
        task = np.array([0, 1, 2, 2, 1, 0], np.int32)

        def values():
            head = params["value"]
            normalised = features @ head["kernel"] + head["bias"]
            return popart.value(statistics, normalised, task)

        before = values()
        for _ in range(5):
            targets = random.normal(mean, deviation, (6, 8)).astype(np.float32)
            # One task's returns are ten times as large.
            targets[task == 1] *= 10
            statistics, params = _update(
                statistics, params, _moments(targets, task, outputs)
            )
            # What float32 leaves of a value beside the shift.
            rounding = 1e-4 * max(np.abs(targets).max(), 1.0)
            np.testing.assert_allclose(values(), before, atol=rounding)
        np.testing.assert_array_equal(params["core"]["bias"], 1.0)

    def test_a_critic_that_starts_at_0_soon_has_the_mean_of_the_returns(self):
        """Targets that bootstrap, r + 0.9 V, have their fixed point at 10 r."""
        random = np.random.default_rng(5)
        params, statistics = _params(random), popart.initial(1)
        params = popart.at_the_mean(params)
        for _ in range(100):
            value = popart.value(statistics, jnp.zeros((8, 20, 1)), np.zeros(8, int))
            reward = random.normal(-10.0, 3.0, (8, 20)).astype(np.float32)
            statistics, params = _update(
                statistics, params, _moments(reward + 0.9 * value)
            )
        value = popart.value(
            statistics, params["value"]["bias"][None, None], np.zeros(1, int)
        )
        self.assertAlmostEqual(float(value[0, 0]), -100.0, delta=5.0)

    def test_averaged_statistics_leave_the_first_values_as_they_are(self):
        params, statistics = _params(np.random.default_rng(6)), popart.initial(1)
        features = np.ones((1, 1, 4), np.float32)

        def value(statistics, params):
            normalised = features @ params["value"]["kernel"] + params["value"]["bias"]
            return float(popart.value(statistics, normalised, np.zeros(1, int))[0, 0])

        before = value(statistics, params)
        targets = _moments(np.full((2, 4), -90.0, np.float32) + np.arange(4))
        after = popart.update(statistics, params, targets, fresh=False)
        self.assertAlmostEqual(value(*after), before, places=3)
        self.assertGreater(abs(value(*popart.update(statistics, params, targets))), 80)

    def test_a_value_is_that_of_its_own_output(self):
        statistics = _statistics([1.0, 10.0], [2.0, 3.0])
        normalised = jnp.float32([[[0.5, -1.0]], [[0.5, -1.0]]])
        np.testing.assert_allclose(
            popart.value(statistics, normalised, np.array([0, 1])),
            [[1 + 2 * 0.5], [10 - 3]],
            rtol=1e-5,
        )

    def test_statistics_follow_the_targets(self):
        random = np.random.default_rng(1)
        params, statistics = _params(random), popart.initial(1)
        for updates in range(1000):
            # They move after half of the updates.
            mean, deviation = (-5.0, 2.0) if updates < 500 else (70.0, 20.0)
            targets = random.normal(mean, deviation, (8, 20)).astype(np.float32)
            statistics, params = _update(statistics, params, _moments(targets))
            if updates == 3:
                self.assertAlmostEqual(
                    float(statistics.moments.mean[0]), -5.0, delta=1.0
                )
                scale = float(statistics.scale[0])
                self.assertAlmostEqual(scale, 2.0, delta=0.5)
        self.assertAlmostEqual(float(statistics.moments.mean[0]), 70.0, delta=2.0)
        self.assertAlmostEqual(float(statistics.scale[0]), 20.0, delta=2.0)

    def test_equals_rlax_on_one_output(self):
        """rlax has one step size for each target; ours is that share of a batch."""
        random = np.random.default_rng(2)
        params = _params(random)
        targets = random.normal(3.0, 2.0, (2, 4)).astype(np.float32)
        statistics = _statistics([1.0], [np.sqrt(3.0)])
        _, rescale = rlax.popart(
            1, popart.STEP_SIZE / targets.size, popart.MIN_SCALE, popart.MAX_SCALE
        )
        head, expected = rescale(
            {"w": params["value"]["kernel"], "b": params["value"]["bias"]},
            rlax.PopArtState(
                statistics.moments.mean, statistics.scale, statistics.moments.second
            ),
            targets,
            np.zeros_like(targets, np.int32),
        )
        followed, rescaled = _update(statistics, params, _moments(targets))
        np.testing.assert_allclose(followed.moments.mean, expected.shift, rtol=1e-5)
        np.testing.assert_allclose(followed.scale, expected.scale, rtol=1e-5)
        np.testing.assert_allclose(rescaled["value"]["kernel"], head["w"], rtol=1e-5)
        np.testing.assert_allclose(rescaled["value"]["bias"], head["b"], rtol=1e-5)

    def test_returns_that_do_not_vary_are_not_blown_up(self):
        params = _params(np.random.default_rng(4))
        statistics = popart.initial(1)
        for _ in range(10):
            statistics, params = _update(
                statistics, params, _moments(np.full((2, 4), 0.5, np.float32))
            )
        self.assertAlmostEqual(float(statistics.scale[0]), popart.MIN_SCALE, places=3)


if __name__ == "__main__":
    absltest.main()
