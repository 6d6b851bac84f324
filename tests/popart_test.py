"""PopArt against its definition."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting import popart

_AXIS = "devices"


def _params(random: np.random.Generator) -> dict:
    return {
        "core": {"bias": jnp.ones(3)},
        "value": {
            "kernel": jnp.asarray(random.normal(size=(4, 1)), jnp.float32),
            "bias": jnp.asarray(random.normal(size=1), jnp.float32),
        },
    }


@functools.cache
def _update(num_devices: int):
    """Returns popart.update over a mapped axis, which stands for the devices."""
    return jax.jit(
        jax.vmap(
            functools.partial(popart.update, axis_name=_AXIS, num_devices=num_devices),
            in_axes=(None, None, 0, None),
            axis_name=_AXIS,
        )
    )


def _first(tree):
    return jax.tree.map(lambda x: x[0], tree)


class PopArtTest(parameterized.TestCase):
    @parameterized.parameters((0.0, 1.0), (80.0, 20.0), (-3.0, 0.01))
    def test_values_stay_while_their_scale_moves(self, mean, deviation):
        random = np.random.default_rng(0)
        params, statistics = _params(random), popart.initial()
        features = random.normal(size=(10, 4)).astype(np.float32)

        def values():
            head = params["value"]
            return popart.value(statistics, features @ head["kernel"] + head["bias"])

        before = values()
        for updates in range(5):
            targets = random.normal(mean, deviation, (1, 2, 8)).astype(np.float32)
            statistics, params = _first(
                _update(1)(statistics, params, targets, updates)
            )
            np.testing.assert_allclose(values(), before, rtol=1e-3, atol=1e-3)
        np.testing.assert_array_equal(params["core"]["bias"], 1.0)

    def test_statistics_follow_the_targets(self):
        random = np.random.default_rng(1)
        params, statistics = _params(random), popart.initial()
        for updates in range(1000):
            # They move after half of the updates.
            mean, deviation = (-5.0, 2.0) if updates < 500 else (70.0, 20.0)
            targets = random.normal(mean, deviation, (1, 8, 20)).astype(np.float32)
            statistics, params = _first(
                _update(1)(statistics, params, targets, updates)
            )
            if updates == 3:
                self.assertAlmostEqual(float(statistics.shift[0]), -5.0, delta=1.0)
                self.assertAlmostEqual(float(statistics.scale[0]), 2.0, delta=0.5)
        self.assertAlmostEqual(float(statistics.shift[0]), 70.0, delta=2.0)
        self.assertAlmostEqual(float(statistics.scale[0]), 20.0, delta=2.0)

    def test_one_step_by_hand(self):
        targets = np.array([[[1.0, 3.0, 5.0, 7.0]]], np.float32)
        params = _params(np.random.default_rng(2))
        statistics, _ = _first(_update(1)(popart.initial(), params, targets, 49))
        share = 1 / 50
        shift, moment = share * 4, 1 + share * (21 - 1)
        np.testing.assert_allclose(statistics.shift, [shift], rtol=1e-5)
        np.testing.assert_allclose(
            statistics.scale, [np.sqrt(moment - shift**2)], rtol=1e-5
        )

    def test_devices_together_follow_the_whole_batch(self):
        random = np.random.default_rng(3)
        params = _params(random)
        targets = random.normal(5.0, 2.0, (4, 2, 8)).astype(np.float32)
        parts = _update(4)(popart.initial(), params, targets, 10)
        whole = _update(1)(popart.initial(), params, targets.reshape(1, 8, 8), 10)
        jax.tree.map(
            lambda part, whole: np.testing.assert_allclose(
                part, np.repeat(whole, 4, axis=0), rtol=1e-4
            ),
            parts,
            whole,
        )

    def test_returns_that_do_not_vary_are_not_blown_up(self):
        params, statistics = _params(np.random.default_rng(4)), popart.initial()
        for updates in range(10):
            targets = np.full((1, 2, 4), 0.5, np.float32)
            statistics, params = _first(
                _update(1)(statistics, params, targets, updates)
            )
        self.assertAlmostEqual(float(statistics.scale[0]), popart.MIN_SCALE, places=3)


if __name__ == "__main__":
    absltest.main()
