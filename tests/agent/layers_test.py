"""The fast layers equal the ordinary ones, forwards and backwards."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.agent import layers, trajectory


def _ordinary_pool(x: jax.Array) -> jax.Array:
    return nn.max_pool(x, (3, 3), (2, 2), padding="SAME")


class FoldedConvTest(parameterized.TestCase):
    @parameterized.parameters(
        {"shape": (2, 17, 23, 16), "size": 4, "stride": 2},
        {"shape": (1, 73, 99, 3), "size": 8, "stride": 4},
        {"shape": (1, 9, 8, 2), "size": 6, "stride": 3},
        {"shape": (2, 5, 5, 4), "size": 2, "stride": 1},
    )
    def test_equals_conv(self, shape, size, stride):
        folded = layers.FoldedConv(5, kernel_size=size, stride=stride)
        ordinary = nn.Conv(5, (size, size), strides=stride, padding="VALID")
        x = jax.random.normal(jax.random.key(0), shape)
        variables = jax.jit(folded.init)(jax.random.key(1), x)
        chex.assert_trees_all_equal_shapes(
            variables, jax.eval_shape(ordinary.init, jax.random.key(1), x)
        )
        variables["params"]["bias"] += jnp.arange(5.0)

        def squares(module):
            def total(variables, x):
                outputs = module.apply(variables, x)
                return jnp.mean(outputs**2), outputs

            return jax.jit(jax.grad(total, argnums=(0, 1), has_aux=True))

        chex.assert_trees_all_close(
            squares(folded)(variables, x),
            squares(ordinary)(variables, x),
            rtol=1e-3,
            atol=1e-5,
        )


class MaxPoolTest(parameterized.TestCase):
    @parameterized.parameters((1, 2), (2, 5), (9, 12), (8, 3))
    def test_equals_max_pool(self, height, width):
        x = jax.random.normal(jax.random.key(0), (2, height, width, 3))
        pulled = jax.random.normal(jax.random.key(1), _ordinary_pool(x).shape)
        ours, our_gradient = jax.vjp(layers.max_pool, x)
        ordinary, ordinary_gradient = jax.vjp(_ordinary_pool, x)
        np.testing.assert_array_equal(ours, ordinary)
        np.testing.assert_allclose(
            our_gradient(pulled)[0], ordinary_gradient(pulled)[0], rtol=1e-6, atol=1e-6
        )

    def test_ties_share_the_gradient(self):
        # The one window covers all four pixels and padding.
        gradient = jax.grad(lambda x: jnp.sum(layers.max_pool(x)))(
            jnp.zeros((1, 2, 2, 1))
        )
        np.testing.assert_allclose(gradient[0, :, :, 0], np.full((2, 2), 0.25))

    def test_flat_image_keeps_the_total_gradient(self):
        x = jnp.ones((1, 8, 12, 2))
        gradient = jax.grad(lambda x: jnp.sum(layers.max_pool(x)))(x)
        self.assertAlmostEqual(float(gradient.sum()), 4 * 6 * 2, places=4)


class LSTMTest(absltest.TestCase):
    def test_equals_the_ordinary_scan(self):
        length, batch, size = 6, 3, 5
        keys = iter(jax.random.split(jax.random.key(0), 5))

        def normal(*shape):
            return jax.random.normal(next(keys), shape)

        keep = jnp.ones((length, batch, 1)).at[0, 1].set(0).at[3].set(0).at[5, 2].set(0)
        state = trajectory.CoreState(normal(batch, size), normal(batch, size))
        arguments = normal(length, batch, 4 * size), normal(size, 4 * size), state

        def ordinary(gates, keep, kernel, state):
            def step(state, scanned):
                gates, keep = scanned
                gates = gates + (state.hidden * keep) @ kernel
                enter, forget, candidate, leave = jnp.split(gates, 4, axis=-1)
                cell = nn.sigmoid(forget) * state.cell * keep
                cell = cell + nn.sigmoid(enter) * jnp.tanh(candidate)
                hidden = nn.sigmoid(leave) * jnp.tanh(cell)
                return trajectory.CoreState(cell, hidden), hidden

            return jax.lax.scan(step, state, (gates, keep))

        def results(lstm):
            def total(gates, kernel, state):
                last, outputs = lstm(gates, keep, kernel, state)
                weights = jnp.arange(outputs.size).reshape(outputs.shape)
                loss = jnp.sum(jnp.sin(weights * outputs))
                loss += jnp.sum(last.cell**2) + jnp.sum(last.hidden**3)
                return loss, (last, outputs)

            return jax.grad(total, argnums=(0, 1, 2), has_aux=True)(*arguments)

        chex.assert_trees_all_close(
            results(layers.lstm), results(ordinary), rtol=1e-4, atol=1e-4
        )


if __name__ == "__main__":
    # Compiling takes most of the time of these tests.
    jax.config.update("jax_disable_most_optimizations", True)
    absltest.main()
