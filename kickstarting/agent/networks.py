"""The student's network: IMPALA's torsos, language and recurrent core, and two heads.

Espeholt et al. 2018, figure 3 (https://arxiv.org/abs/1802.01561). Everything but the
recurrences sees batch and time as one axis: on a CPU, XLA runs a convolution inside a
scan several times slower than outside, so that only hidden-to-hidden products are
scanned.
"""

import functools
from collections.abc import Callable

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from kickstarting.agent.layers import FoldedConv, lstm, max_pool
from kickstarting.agent.trajectory import (
    VALUE_HEAD,
    AgentOutput,
    Array,
    CoreState,
    Observation,
)

# Instructions hold word ids 1..NUM_WORD_BUCKETS; id 0 is the pad (IMPALA's code).
NUM_WORD_BUCKETS = 1000
WORD_EMBEDDING_SIZE = 20
LANGUAGE_CORE_SIZE = 64

TORSO_FEATURES = 256
# The shallow torso's two VALID convolutions leave nothing of a smaller frame.
SHALLOW_MIN_FRAME = 20
# Grid codes from here on share one embedding; known suites stay far below.
NUM_GRID_CODES = 32

# Keeps the variance of what passes a ReLU (He et al. 2015).
_FOR_RELU = nn.initializers.he_normal()


class ShallowTorso(nn.Module):
    """IMPALA's small torso, VALID padding (which gives the paper's 1.2M parameters).

    Of a frame of 72x96 the last four rows and columns are not read.
    """

    @nn.compact
    def __call__(self, pixels: Array) -> Array:
        """Maps uint8 [N, H, W, C] to float32 [N, 256]."""
        x = nn.Conv(16, (8, 8), strides=4, padding="VALID", kernel_init=_FOR_RELU)(
            _standardised(pixels)
        )
        x = FoldedConv(32, kernel_size=4, stride=2, kernel_init=_FOR_RELU)(nn.relu(x))
        return _torso_features(nn.relu(x))


class DeepTorso(nn.Module):
    """IMPALA's large torso: 15 convolutions, 12 of them in residual blocks."""

    @nn.compact
    def __call__(self, pixels: Array) -> Array:
        """Maps uint8 [N, H, W, C] to float32 [N, 256]."""
        x = _standardised(pixels)
        for channels in (16, 32, 32):
            x = max_pool(nn.Conv(channels, (3, 3))(x))
            for _ in range(2):
                residual = nn.Conv(channels, (3, 3))(nn.relu(x))
                x = x + nn.Conv(channels, (3, 3))(nn.relu(residual))
        return _torso_features(nn.relu(x))


class GridTorso(nn.Module):
    """For grids of category codes (MiniGrid, XLand-MiniGrid) of up to 25x25 cells.

    A cell is the sum of one learned embedding for each channel's code. An instruction
    scales and shifts the features of all cells alike (FiLM, Perez et al. 2018,
    https://arxiv.org/abs/1709.07871, which BabyAI's own agent has, Chevalier-Boisvert
    et al. 2019, https://arxiv.org/abs/1810.08272): what is named is found wherever it
    is, without learning each place anew.

    Attributes:
      channels: of each convolution.
      last_stride: of the last convolution.
      features: D, of a whole grid.
    """

    channels: tuple[int, ...] = (32, 32)
    last_stride: int = 1
    features: int = TORSO_FEATURES

    @nn.compact
    def __call__(self, pixels: Array, language: Array | None = None) -> Array:
        """Maps uint8 codes [N, H, W, C] to float32 [N, D].

        Args:
          pixels: the codes.
          language: float32 [N, L], what was read; None without an instruction.
        """
        chex.assert_rank(pixels, 4)
        chex.assert_type(pixels, jnp.uint8)
        kinds = pixels.shape[-1]
        codes = jnp.minimum(pixels, NUM_GRID_CODES - 1).astype(jnp.int32)
        rows = codes + NUM_GRID_CODES * jnp.arange(kinds)
        x = jnp.sum(nn.Embed(kinds * NUM_GRID_CODES, 16)(rows), axis=-2)
        strides = [1] * (len(self.channels) - 1) + [self.last_stride]
        for channels, stride in zip(self.channels, strides, strict=True):
            x = nn.Conv(channels, (3, 3), strides=stride, kernel_init=_FOR_RELU)(x)
            if language is not None:
                scale, shift = jnp.split(nn.Dense(2 * channels)(language), 2, axis=-1)
                x = x * (1 + scale[:, None, None]) + shift[:, None, None]
            x = nn.relu(x)
        return _torso_features(x, self.features)


def _standardised(pixels: Array) -> Array:
    """Shifts and scales each frame to mean 0 and variance 1.

    IMPALA divides by 255. In ViZDoom's dark, flat frames what changes is then lost in
    what does not. Its effect on returns has not been isolated (docs/tuning_rounds.md).
    """
    chex.assert_rank(pixels, 4)
    chex.assert_type(pixels, jnp.uint8)
    x = pixels.astype(jnp.float32)
    mean = jnp.mean(x, axis=(1, 2, 3), keepdims=True)
    deviation = jnp.std(x, axis=(1, 2, 3), keepdims=True)
    # A frame of one colour becomes zeros.
    return (x - mean) / (deviation + 1.0)


def _torso_features(x: Array, features: int = TORSO_FEATURES) -> Array:
    x = x.reshape(x.shape[0], -1)
    return nn.relu(nn.Dense(features, kernel_init=_FOR_RELU)(x))


class RecurrentCore(nn.Module):
    """An LSTM over time whose state is reset where an episode opens.

    Attributes:
      size: units.
    """

    size: int

    @nn.compact
    def __call__(
        self, inputs: Array, first: Array, state: CoreState
    ) -> tuple[Array, CoreState]:
        """Runs the LSTM.

        Args:
          inputs: float32 [B, T, D].
          first: bool [B, T]; True resets the state before that step.
          state: CoreState [B, size] before step 0.

        Returns:
          float32 [B, T, size] and the state after step T - 1.
        """
        batch, length, features = inputs.shape
        chex.assert_shape(first, (batch, length))
        chex.assert_shape(list(state), (batch, self.size))
        kernel_init = nn.initializers.lecun_normal()
        input_kernel = self.param(
            "input_kernel", kernel_init, (features, 4 * self.size)
        )
        hidden_kernel = self.param(
            "hidden_kernel", kernel_init, (self.size, 4 * self.size)
        )
        bias = self.param("bias", _lstm_bias, (4 * self.size,))

        # The input half of all gates is one matrix product, outside the scan.
        input_gates = inputs @ input_kernel + bias
        keep = jnp.where(first, 0.0, 1.0)[..., None]
        state, outputs = lstm(
            input_gates.swapaxes(0, 1), keep.swapaxes(0, 1), hidden_kernel, state
        )
        return outputs.swapaxes(0, 1), state


def _lstm_bias(key: Array, shape: tuple[int, ...], dtype=jnp.float32) -> Array:
    """Zeros, but 1 for the forget gate, as in IMPALA's LSTM."""
    del key
    size = shape[0] // 4
    return jnp.zeros(shape, dtype).at[size : 2 * size].set(1.0)


def zero_state(batch_size: int, size: int) -> CoreState:
    """Returns the CoreState float32 [batch_size, size] that opens an episode."""
    zeros = jnp.zeros((batch_size, size), jnp.float32)
    return CoreState(cell=zeros, hidden=zeros)


class LanguageCore(nn.Module):
    """Embeds the words of an instruction and reads them with an LSTM."""

    @nn.compact
    def __call__(self, instruction: Array) -> Array:
        """Maps word ids int32 [N, L], pads last, to the last word's output [N, 64].

        An empty instruction is read as one pad.
        """
        chex.assert_rank(instruction, 2)
        chex.assert_type(instruction, jnp.int32)
        # Flax's own deviation of 0.22 leaves instructions that differ in one word all
        # but equal at the LSTM's end: they are then told apart late (docs/babyai.md).
        words = nn.Embed(
            NUM_WORD_BUCKETS + 1,
            WORD_EMBEDDING_SIZE,
            embedding_init=nn.initializers.normal(1.0),
        )(instruction)
        outputs, _ = RecurrentCore(LANGUAGE_CORE_SIZE)(
            words,
            jnp.zeros(instruction.shape, bool),
            zero_state(instruction.shape[0], LANGUAGE_CORE_SIZE),
        )
        last = jnp.maximum(jnp.sum(instruction > 0, axis=-1), 1) - 1
        return jnp.take_along_axis(outputs, last[:, None, None], axis=1)[:, 0]


# A fifth of the grid torso's multiplications, for grids of 7x7.
SmallGridTorso = functools.partial(
    GridTorso, channels=(16, 32), last_stride=2, features=64
)
GRID_TORSOS = ("grid", "small_grid")

_TORSOS: dict[str, Callable[..., nn.Module]] = {
    "shallow": ShallowTorso,
    "deep": DeepTorso,
    "grid": GridTorso,
    "small_grid": SmallGridTorso,
}


class ActorCritic(nn.Module):
    """The whole network.

    Attributes:
      num_actions: A.
      torso: 'shallow', 'deep', 'grid' or 'small_grid'.
      core_size: units of the recurrent core.
      num_values: V.
      language: whether instructions are read; False leaves the language core out.
    """

    num_actions: int
    torso: str
    core_size: int
    num_values: int
    language: bool

    @nn.compact
    def __call__(
        self, observation: Observation, first: Array, state: CoreState
    ) -> tuple[AgentOutput, CoreState]:
        """Unrolls the network.

        Args:
          observation: Observation [B, T, ...].
          first: bool [B, T]; True resets the core before that step.
          state: CoreState [B, core_size] before step 0.

        Returns:
          AgentOutput [B, T, ...] and the state after step T - 1.
        """
        batch, length = first.shape
        chex.assert_shape(
            [observation.last_action, observation.last_reward], (batch, length)
        )
        flat = jax.tree.map(
            lambda x: x.reshape((batch * length, *x.shape[2:])), observation
        )
        torso = _TORSOS[self.torso](name="torso")
        read = []
        if self.language and flat.instruction.shape[-1]:
            read.append(LanguageCore(name="language")(flat.instruction))
        reads_too = read if self.torso in GRID_TORSOS else []
        features = [
            torso(flat.pixels, *reads_too),
            jnp.clip(flat.last_reward, -1.0, 1.0)[:, None],
            jax.nn.one_hot(flat.last_action, self.num_actions),
            *read,
        ]
        inputs = jnp.concatenate(features, axis=-1).reshape((batch, length, -1))
        outputs, state = RecurrentCore(self.core_size, name="core")(
            inputs, first, state
        )
        # Near uniform at the start, but not so small that it passes back nothing to
        # see by: what a teacher says would be long in getting through.
        small = nn.initializers.variance_scaling(0.1, "fan_in", "truncated_normal")
        logits = nn.Dense(self.num_actions, kernel_init=small, name="policy")(outputs)
        value = nn.Dense(self.num_values, name=VALUE_HEAD)(outputs)
        return AgentOutput(logits=logits, value=value), state
