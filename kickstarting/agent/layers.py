"""Layers that XLA runs faster on a CPU than the ordinary ones they are equal to.

benchmarks/layers.py measures both sides.
"""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from kickstarting.agent.trajectory import Array, CoreState

_POOL_WINDOW = 3
_POOL_STRIDE = 2


class FoldedConv(nn.Module):
    """A VALID convolution whose square kernel is a whole number of strides wide.

    Equal to nn.Conv with the same kernel [size, size, in, out] and bias, but computed
    as a convolution of stride 1 over blocks of stride x stride pixels: the gradient of
    a strided convolution is slow on a CPU.

    Attributes:
      features: output channels.
      kernel_size: a multiple of `stride`.
      stride: of both axes.
      kernel_init: of the kernel.
    """

    features: int
    kernel_size: int
    stride: int
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()

    @nn.compact
    def __call__(self, inputs: Array) -> Array:
        """Convolves float32 [N, H, W, C] to [N, H', W', features]."""
        chex.assert_rank(inputs, 4)
        size, stride = self.kernel_size, self.stride
        channels = inputs.shape[-1]
        kernel = self.param(
            "kernel",
            self.kernel_init,
            (size, size, channels, self.features),
        )
        bias = self.param("bias", nn.initializers.zeros_init(), (self.features,))
        outputs = jax.lax.conv_general_dilated(
            _fold(_crop(inputs, size, stride), stride),
            _fold_kernel(kernel, stride),
            window_strides=(1, 1),
            padding="VALID",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        return outputs + bias


def _crop(images: Array, size: int, stride: int) -> Array:
    """Leaves only the pixels of [N, H, W, C] that a VALID convolution reads."""
    height, width = (
        ((length - size) // stride) * stride + size for length in images.shape[1:3]
    )
    return images[:, :height, :width]


def _fold(images: Array, stride: int) -> Array:
    """[N, H, W, C] to [N, H / stride, W / stride, stride² C]."""
    count, height, width, channels = images.shape
    rows, columns = height // stride, width // stride
    blocks = images.reshape((count, rows, stride, columns, stride, channels))
    return blocks.swapaxes(2, 3).reshape((count, rows, columns, -1))


def _fold_kernel(kernel: Array, stride: int) -> Array:
    """[size, size, in, out] to [size / stride, size / stride, stride² in, out]."""
    images = jnp.moveaxis(kernel, -1, 0)
    return jnp.moveaxis(_fold(images, stride), 0, -1)


@jax.custom_vjp
def max_pool(inputs: Array) -> Array:
    """Max pooling 3x3, stride 2, SAME, with a gradient that is fast on a CPU.

    The gradient of an output goes in equal parts to all the inputs that reach the
    maximum (nn.max_pool gives it to the first of them).

    Args:
      inputs: float32 [N, H, W, C].

    Returns:
      float32 [N, ceil(H / 2), ceil(W / 2), C].
    """
    return nn.max_pool(inputs, (_POOL_WINDOW,) * 2, (_POOL_STRIDE,) * 2, padding="SAME")


def _max_pool_forward(inputs: Array) -> tuple[Array, tuple[Array, Array]]:
    outputs = max_pool(inputs)
    return outputs, (inputs, outputs)


def _max_pool_backward(residuals: tuple[Array, Array], gradient: Array) -> tuple[Array]:
    inputs, outputs = residuals
    count, height, width, channels = inputs.shape
    rows, columns = outputs.shape[1:3]
    # SAME puts the odd pixel of padding last, so an even length starts unpadded.
    top, left = height % 2, width % 2
    padded = jnp.pad(
        inputs,
        ((0, 0), (top, 2), (left, 2), (0, 0)),
        constant_values=-jnp.inf,
    )
    blocks = padded.reshape((count, rows + 1, 2, columns + 1, 2, channels))

    def is_maximum(i: int, j: int) -> Array:
        window = blocks[:, i // 2 :, i % 2, j // 2 :, j % 2]
        return window[:, :rows, :columns] == outputs

    window = [(i, j) for i in range(_POOL_WINDOW) for j in range(_POOL_WINDOW)]
    ties = sum(is_maximum(i, j).astype(gradient.dtype) for i, j in window)
    share = gradient / ties

    # Every input of the same parity is reached from the same places of its windows.
    parities = [[jnp.zeros_like(blocks[:, :, 0, :, 0])] * 2 for _ in range(2)]
    for i, j in window:
        part = jnp.where(is_maximum(i, j), share, 0.0)
        shifted = jnp.pad(
            part, ((0, 0), (i // 2, 1 - i // 2), (j // 2, 1 - j // 2), (0, 0))
        )
        parities[i % 2][j % 2] = parities[i % 2][j % 2] + shifted
    full = jnp.stack([jnp.stack(row, axis=3) for row in parities], axis=2)
    full = full.reshape(padded.shape)
    return (full[:, top : top + height, left : left + width],)


max_pool.defvjp(_max_pool_forward, _max_pool_backward)


@jax.custom_vjp
def lstm(
    input_gates: Array, keep: Array, hidden_kernel: Array, state: CoreState
) -> tuple[CoreState, Array]:
    """Scans an LSTM over time; the gradient of its kernel is one matrix product.

    What autodiff makes of the scan adds a matrix of the kernel's size to the gradient
    at every step.

    Args:
      input_gates: float32 [T, B, 4 C], what the inputs and the bias give to the enter,
        forget, candidate and leave gates.
      keep: float32 [T, B, 1], 0 resets the state before that step; no gradient flows
        into it.
      hidden_kernel: float32 [C, 4 C].
      state: CoreState [B, C] before step 0.

    Returns:
      the state after step T - 1, and the outputs float32 [T, B, C].
    """
    outputs, _ = _lstm_forward(input_gates, keep, hidden_kernel, state)
    return outputs


def _lstm_forward(
    input_gates: Array, keep: Array, hidden_kernel: Array, state: CoreState
) -> tuple[tuple[CoreState, Array], tuple[Array, ...]]:
    def step(state: CoreState, scanned: tuple[Array, Array]):
        input_gate, keep = scanned
        gates = input_gate + (state.hidden * keep) @ hidden_kernel
        enter, forget, candidate, leave = jnp.split(gates, 4, axis=-1)
        enter, forget, leave = (nn.sigmoid(x) for x in (enter, forget, leave))
        candidate = jnp.tanh(candidate)
        cell = forget * (state.cell * keep) + enter * candidate
        hidden = leave * jnp.tanh(cell)
        activations = jnp.concatenate([enter, forget, candidate, leave], axis=-1)
        return CoreState(cell, hidden), (hidden, cell, activations)

    last, (hidden, cell, activations) = jax.lax.scan(step, state, (input_gates, keep))
    residuals = (hidden, cell, activations, keep, hidden_kernel, *state)
    return (last, hidden), residuals


def _lstm_backward(
    residuals: tuple[Array, ...], cotangents: tuple[CoreState, Array]
) -> tuple[Array, Array, Array, CoreState]:
    hidden, cell, activations, keep, hidden_kernel, cell_0, hidden_0 = residuals
    last, hidden_gradient = cotangents
    enter, forget, candidate, leave = jnp.split(activations, 4, axis=-1)
    cell_before = jnp.concatenate([cell_0[None], cell[:-1]]) * keep
    hidden_before = jnp.concatenate([hidden_0[None], hidden[:-1]]) * keep

    # All that does not depend on the gradient itself is computed for all steps at once.
    squashed = jnp.tanh(cell)
    cell_of_hidden = leave * (1 - squashed**2)
    of_cell = (
        candidate * enter * (1 - enter),
        cell_before * forget * (1 - forget),
        enter * (1 - candidate**2),
    )
    of_hidden = squashed * leave * (1 - leave)
    transposed_kernel = hidden_kernel.T

    def step(state: CoreState, scanned: tuple[Array, ...]):
        gradient, cell_of_hidden, of_cell, of_hidden, forget, keep = scanned
        hidden = state.hidden + gradient
        cell = state.cell + hidden * cell_of_hidden
        gates = jnp.concatenate(
            [*(cell * factor for factor in of_cell), hidden * of_hidden], axis=-1
        )
        before = CoreState(cell * forget * keep, (gates @ transposed_kernel) * keep)
        return before, gates

    state_gradient, gates = jax.lax.scan(
        step,
        last,
        (hidden_gradient, cell_of_hidden, of_cell, of_hidden, forget, keep),
        reverse=True,
    )
    kernel_gradient = jnp.einsum("tbi,tbo->io", hidden_before, gates)
    return gates, jnp.zeros_like(keep), kernel_gradient, state_gradient


lstm.defvjp(_lstm_forward, _lstm_backward)
