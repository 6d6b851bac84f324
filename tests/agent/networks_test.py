"""Torsos, language core and recurrent core."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.agent import networks, trajectory
from kickstarting.environments.gym import instructions


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _standardised(pixels: jax.Array) -> np.ndarray:
    x = np.asarray(pixels, np.float32)
    axes = (1, 2, 3)
    return (x - x.mean(axes, keepdims=True)) / (x.std(axes, keepdims=True) + 1)


class TorsoTest(parameterized.TestCase):
    def test_shallow_equals_the_paper_built_from_ordinary_layers(self):
        class Ordinary(nn.Module):
            @nn.compact
            def __call__(self, x):
                x = nn.relu(nn.Conv(16, (8, 8), strides=4, padding="VALID")(x))
                x = nn.relu(nn.Conv(32, (4, 4), strides=2, padding="VALID")(x))
                return nn.relu(nn.Dense(256)(x.reshape(len(x), -1)))

        pixels = jax.random.randint(jax.random.key(0), (3, 72, 96, 3), 0, 256)
        pixels = pixels.astype(jnp.uint8)
        torso = networks.ShallowTorso()
        params = jax.jit(torso.init)(jax.random.key(1), pixels)["params"]
        renamed = {
            "Conv_0": params["Conv_0"],
            "Conv_1": params["FoldedConv_0"],
            "Dense_0": params["Dense_0"],
        }
        np.testing.assert_allclose(
            torso.apply({"params": params}, pixels),
            Ordinary().apply({"params": renamed}, _standardised(pixels)),
            rtol=1e-4,
            atol=1e-5,
        )

    @parameterized.parameters(
        (networks.ShallowTorso, (72, 96, 3)),
        (networks.DeepTorso, (18, 24, 3)),
        (networks.DeepTorso, (7, 9, 4)),
        (networks.GridTorso, (7, 7, 3)),
        (networks.GridTorso, (1, 5, 1)),
        (networks.SmallGridTorso, (7, 7, 2), 64),
        (networks.SmallGridTorso, (3, 3, 2), 64),
    )
    def test_output_and_finite_gradients(self, torso, frame, size=256):
        torso = torso()
        pixels = jax.random.randint(jax.random.key(0), (2, *frame), 0, 256)
        pixels = pixels.astype(jnp.uint8)
        variables = jax.jit(torso.init)(jax.random.key(1), pixels)

        @jax.jit
        def loss(variables):
            features = torso.apply(variables, pixels)
            return jnp.sum(features**2), features

        gradients, features = jax.grad(loss, has_aux=True)(variables)
        chex.assert_shape(features, (2, size))
        chex.assert_tree_all_finite(gradients)
        for leaf in jax.tree.leaves(gradients):
            self.assertGreater(float(jnp.abs(leaf).max()), 0.0)

    @parameterized.parameters(0, 7, 255)
    def test_frame_of_one_colour_is_no_signal(self, level):
        torso = networks.ShallowTorso()
        pixels = jnp.full((1, 24, 24, 3), level, jnp.uint8)
        variables = jax.jit(torso.init)(jax.random.key(0), pixels)
        np.testing.assert_array_equal(torso.apply(variables, pixels), 0.0)

    def test_deep_torso_has_fifteen_convolutions(self):
        pixels = jnp.zeros((1, 72, 96, 3), jnp.uint8)
        params = jax.eval_shape(networks.DeepTorso().init, jax.random.key(0), pixels)
        names = [name for name in params["params"] if name.startswith("Conv")]
        self.assertLen(names, 15)
        self.assertEqual(params["params"]["Dense_0"]["kernel"].shape, (3456, 256))

    def test_float_pixels_are_refused(self):
        with self.assertRaises(AssertionError):
            networks.ShallowTorso().init(jax.random.key(0), jnp.zeros((1, 72, 96, 3)))

    def test_grid_channels_have_codes_of_their_own(self):
        torso = networks.GridTorso()
        grid = jnp.zeros((1, 4, 4, 2), jnp.uint8)
        variables = jax.jit(torso.init)(jax.random.key(0), grid)
        apply = jax.jit(torso.apply)
        one, other, far, farther = (
            apply(variables, grid.at[0, 1, 1, channel].set(code))
            for channel, code in ((0, 3), (1, 3), (0, 31), (0, 255))
        )
        self.assertGreater(float(jnp.abs(one - other).max()), 1e-4)
        np.testing.assert_array_equal(far, farther)

    def test_language_changes_what_a_grid_torso_sees(self):
        torso = networks.GridTorso()
        grid = jnp.zeros((2, 5, 5, 1), jnp.uint8)
        read = jax.random.normal(jax.random.key(0), (2, 8))
        variables = jax.jit(torso.init)(jax.random.key(1), grid, read)
        one, other = torso.apply(variables, grid, read)
        self.assertGreater(float(jnp.abs(one - other).max()), 1e-4)
        # A scale and a shift for each of 32 features, none for single cells.
        shapes = [leaf.shape for leaf in jax.tree.leaves(variables) if 8 in leaf.shape]
        self.assertEqual(shapes, [(8, 64), (8, 64)])

    def test_without_language_a_grid_torso_has_no_parameters_for_it(self):
        pixels = jnp.zeros((1, 5, 5, 1), jnp.uint8)
        params = jax.eval_shape(networks.GridTorso().init, jax.random.key(0), pixels)
        dense = [name for name in params["params"] if name.startswith("Dense")]
        self.assertLen(dense, 1)


class RecurrentCoreTest(absltest.TestCase):
    def test_equals_numpy_lstm_with_resets(self):
        batch, length, features, size = 3, 6, 4, 5
        random = np.random.default_rng(0)
        inputs = random.normal(size=(batch, length, features)).astype(np.float32)
        first = random.random((batch, length)) < 0.3
        state = trajectory.CoreState(
            *random.normal(size=(2, batch, size)).astype(np.float32)
        )
        core = networks.RecurrentCore(size)
        variables = core.init(jax.random.key(0), inputs, first, state)
        outputs, last = core.apply(variables, inputs, first, state)

        params = jax.tree.map(np.asarray, variables["params"])
        cell, hidden = np.array(state.cell), np.array(state.hidden)
        for t in range(length):
            cell[first[:, t]] = 0
            hidden[first[:, t]] = 0
            gates = inputs[:, t] @ params["input_kernel"]
            gates += hidden @ params["hidden_kernel"] + params["bias"]
            i, f, g, o = np.split(gates, 4, axis=-1)
            cell = _sigmoid(f) * cell + _sigmoid(i) * np.tanh(g)
            hidden = _sigmoid(o) * np.tanh(cell)
            np.testing.assert_allclose(outputs[:, t], hidden, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(last.cell, cell, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(last.hidden, hidden, rtol=1e-4, atol=1e-5)

    def test_no_gradient_crosses_a_reset(self):
        core = networks.RecurrentCore(4)
        inputs = jax.random.normal(jax.random.key(0), (1, 5, 3))
        first = jnp.array([[False, False, False, True, False]])
        state = networks.zero_state(1, 4)
        variables = core.init(jax.random.key(1), inputs, first, state)

        def last_output(inputs):
            return jnp.sum(core.apply(variables, inputs, first, state)[0][:, -1])

        sensitivity = jnp.abs(jax.grad(last_output)(inputs)).max(axis=-1)[0]
        np.testing.assert_array_equal(sensitivity[:3], 0.0)
        self.assertGreater(float(sensitivity[3:].min()), 0.0)

    def test_forget_gate_starts_open(self):
        core = networks.RecurrentCore(3)
        state = networks.zero_state(1, 3)
        variables = core.init(
            jax.random.key(0), jnp.zeros((1, 1, 2)), jnp.ones((1, 1), bool), state
        )
        np.testing.assert_array_equal(
            variables["params"]["bias"], [0, 0, 0, 1, 1, 1] + [0] * 6
        )


class LanguageCoreTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.core = networks.LanguageCore()
        self.apply = jax.jit(self.core.apply)
        self.variables = jax.jit(self.core.init)(
            jax.random.key(0), jnp.zeros((1, 4), jnp.int32)
        )

    def _read(self, words):
        return self.apply(self.variables, jnp.array([words], jnp.int32))[0]

    def test_embedding_has_impalas_size(self):
        embedding = self.variables["params"]["Embed_0"]["embedding"]
        # Id 0 is the pad.
        chex.assert_shape(embedding, (1001, 20))

    def test_pads_change_nothing(self):
        np.testing.assert_allclose(
            self._read([5, 7]), self._read([5, 7, 0, 0, 0]), rtol=1e-5, atol=1e-6
        )

    def test_empty_instruction_is_one_pad(self):
        np.testing.assert_allclose(
            self._read([0]), self._read([0, 0, 0]), rtol=1e-5, atol=1e-6
        )

    def test_words_and_their_order_matter(self):
        base = self._read([5, 7, 0])
        for other in ([7, 5, 0], [5, 8, 0], [5, 7, 7], [0, 0, 0]):
            self.assertGreater(float(jnp.abs(base - self._read(other)).max()), 1e-4)

    def test_every_word_id_has_an_embedding(self):
        self.assertEqual(networks.NUM_WORD_BUCKETS, instructions.NUM_BUCKETS)
        last = self._read([instructions.NUM_BUCKETS])
        chex.assert_shape(last, (64,))
        chex.assert_tree_all_finite(last)
        self.assertGreater(
            float(jnp.abs(last - self._read([instructions.NUM_BUCKETS - 1])).max()),
            1e-4,
        )


if __name__ == "__main__":
    # Compiling takes most of the time of these tests.
    jax.config.update("jax_disable_most_optimizations", True)
    absltest.main()
