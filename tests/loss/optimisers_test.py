"""The optimisers against NumPy versions of the published algorithms."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.config.run import OptimiserConfig
from kickstarting.loss import optimisers

SHAPES = {"kernel": (3, 2), "bias": (2,)}
STEPS = 6


def _arrays(random, scale=1.0):
    return {
        name: (scale * random.normal(size=shape)).astype(np.float32)
        for name, shape in SHAPES.items()
    }


def _adam(gradients, params, rates, epsilon):
    m = {name: np.zeros_like(p) for name, p in params.items()}
    v = {name: np.zeros_like(p) for name, p in params.items()}
    for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        for name, g in gradient.items():
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.999 * v[name] + 0.001 * g**2
            m_hat, v_hat = m[name] / (1 - 0.9**t), v[name] / (1 - 0.999**t)
            params[name] = params[name] - rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return params


def _rmsprop(gradients, params, rates, epsilon, decay, momentum):
    """tf.train.RMSPropOptimizer."""
    mean_square = {name: np.ones_like(p) for name, p in params.items()}
    gathered = {name: np.zeros_like(p) for name, p in params.items()}
    for gradient, rate in zip(gradients, rates, strict=True):
        for name, g in gradient.items():
            mean_square[name] = decay * mean_square[name] + (1 - decay) * g**2
            step = rate * g / np.sqrt(mean_square[name] + epsilon)
            gathered[name] = momentum * gathered[name] + step
            params[name] = params[name] - gathered[name]
    return params


def _compiled(config):
    """A jitted update with a cache of its own."""
    return jax.jit(functools.partial(optimisers.update, config))


class OptimisersTest(parameterized.TestCase):
    def _run(self, config, gradients, params, rates, epsilon):
        update = _compiled(config)
        params = jax.tree.map(jnp.asarray, params)
        state = optimisers.init(config, params)
        for gradient, rate in zip(gradients, rates, strict=True):
            params, state, metrics = update(
                gradient, state, params, np.float32(rate), np.float32(epsilon)
            )
        self.assertEqual(update._cache_size(), 1)
        return params, metrics

    @parameterized.product(
        epsilon=(1e-7, 0.1), rates=([1e-2] * STEPS, np.linspace(1e-2, 1e-3, STEPS))
    )
    def test_adam_equals_numpy(self, epsilon, rates):
        random = np.random.default_rng(0)
        params = _arrays(random)
        gradients = [_arrays(random) for _ in range(STEPS)]
        config = OptimiserConfig(name="adam", max_gradient_norm=0.0)
        actual, _ = self._run(config, gradients, params, rates, epsilon)
        expected = _adam(gradients, dict(params), rates, epsilon)
        for name in SHAPES:
            np.testing.assert_allclose(actual[name], expected[name], rtol=1e-4)

    @parameterized.product(
        epsilon=(1e-3, 0.1),
        momentum=(0.0, 0.9),
        rates=([1e-2] * STEPS, np.linspace(1e-2, 1e-3, STEPS)),
    )
    def test_rmsprop_equals_tensorflow_1(self, epsilon, momentum, rates):
        random = np.random.default_rng(1)
        params = _arrays(random)
        gradients = [_arrays(random) for _ in range(STEPS)]
        config = OptimiserConfig(
            name="rmsprop", decay=0.9, momentum=momentum, max_gradient_norm=0.0
        )
        actual, _ = self._run(config, gradients, params, rates, epsilon)
        expected = _rmsprop(gradients, dict(params), rates, epsilon, 0.9, momentum)
        for name in SHAPES:
            np.testing.assert_allclose(actual[name], expected[name], rtol=1e-4)

    @parameterized.parameters("adam", "rmsprop")
    def test_clipping_scales_the_whole_gradient(self, name):
        random = np.random.default_rng(2)
        params, gradient = _arrays(random), _arrays(random, scale=100.0)
        norm = np.sqrt(sum(np.sum(g**2) for g in gradient.values()))
        clipped = {key: g * np.float32(5.0 / norm) for key, g in gradient.items()}
        actual, metrics = self._run(
            OptimiserConfig(name=name, max_gradient_norm=5.0),
            [gradient],
            params,
            [0.1],
            0.1,
        )
        expected, _ = self._run(
            OptimiserConfig(name=name, max_gradient_norm=0.0),
            [clipped],
            params,
            [0.1],
            0.1,
        )
        for key in SHAPES:
            np.testing.assert_allclose(actual[key], expected[key], rtol=1e-4)
        np.testing.assert_allclose(metrics["gradient_norm"], norm, rtol=1e-4)

    def test_small_gradient_is_not_clipped(self):
        random = np.random.default_rng(3)
        params, gradient = _arrays(random), _arrays(random)
        kept, _ = self._run(
            OptimiserConfig(name="rmsprop"), [gradient], params, [0.1], 0.1
        )
        expected = _rmsprop([gradient], dict(params), [0.1], 0.1, 0.99, 0.0)
        for key in SHAPES:
            np.testing.assert_allclose(kept[key], expected[key], rtol=1e-4)

    @parameterized.parameters("adam", "rmsprop")
    def test_new_rate_and_epsilon_do_not_recompile(self, name):
        config = OptimiserConfig(name=name, momentum=0.5)
        params = jax.tree.map(jnp.asarray, _arrays(np.random.default_rng(4)))
        state = optimisers.init(config, params)
        update = _compiled(config)
        seen = []
        for rate, epsilon in ((1e-2, 1e-3), (1e-3, 1e-3), (1e-2, 10.0)):
            stepped, _, _ = update(
                params, state, params, jnp.float32(rate), jnp.float32(epsilon)
            )
            seen.append(float(stepped["bias"][0]))
        self.assertEqual(update._cache_size(), 1)
        self.assertLen(set(seen), 3)

    def test_learns_a_quadratic(self):
        for name in ("adam", "rmsprop"):
            config = OptimiserConfig(name=name)
            params = {"x": jnp.array([3.0, -2.0])}
            state = optimisers.init(config, params)
            update = _compiled(config)
            for _ in range(400):
                params, state, _ = update(params, state, params, 0.05, 1e-3)
            self.assertLess(float(jnp.abs(params["x"]).max()), 0.1)

    def test_gradient_of_another_shape_is_refused(self):
        config = OptimiserConfig()
        params = {"x": jnp.zeros(3)}
        with self.assertRaises(AssertionError):
            optimisers.update(
                config,
                {"x": jnp.zeros(2)},
                optimisers.init(config, params),
                params,
                0.1,
                0.1,
            )


if __name__ == "__main__":
    absltest.main()
