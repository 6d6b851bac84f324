"""CPU time of the layers in kickstarting/agent/layers.py beside the ordinary ones.

Prints JSON: for each comparison and number of frames, the median milliseconds of CPU
time of both sides, forwards and forwards with gradient. The two sides are timed in
turns, and CPU rather than wall time is taken, so that other work disturbs little.

  python -m benchmarks.layers
"""

import functools
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from absl import app, flags

from kickstarting.agent import layers, networks, trajectory

REPEATS = flags.DEFINE_integer("repeats", 12, "Timings of which the median is taken.")
FRAMES = flags.DEFINE_multi_integer("frames", [20, 160], "Batch sizes.")

_UNROLL_LENGTH = 20
_CORE_SIZE = 256


class _SecondConv(nn.Module):
    """The shallow torso with one of two versions of its second convolution."""

    make_convolution: Callable[[], nn.Module]

    @nn.compact
    def __call__(self, pixels: jax.Array) -> jax.Array:
        x = nn.Conv(16, (8, 8), strides=4, padding="VALID")(pixels / 255.0)
        x = nn.relu(self.make_convolution()(nn.relu(x)))
        return nn.Dense(networks.TORSO_FEATURES)(x.reshape(x.shape[0], -1))


class _FirstStage(nn.Module):
    """The deep torso's first convolution and pooling."""

    pool: Callable[[jax.Array], jax.Array]

    @nn.compact
    def __call__(self, pixels: jax.Array) -> jax.Array:
        return self.pool(nn.Conv(16, (3, 3))(pixels / 255.0))


def _ordinary_lstm(
    input_gates: jax.Array,
    keep: jax.Array,
    hidden_kernel: jax.Array,
    state: trajectory.CoreState,
) -> tuple[trajectory.CoreState, jax.Array]:
    """layers.lstm with the gradient that autodiff makes."""

    def step(state: trajectory.CoreState, scanned: tuple[jax.Array, jax.Array]) -> Any:
        gates, keep = scanned
        gates = gates + (state.hidden * keep) @ hidden_kernel
        enter, forget, candidate, leave = jnp.split(gates, 4, axis=-1)
        cell = nn.sigmoid(forget) * state.cell * keep
        cell = cell + nn.sigmoid(enter) * jnp.tanh(candidate)
        hidden = nn.sigmoid(leave) * jnp.tanh(cell)
        return trajectory.CoreState(cell, hidden), hidden

    return jax.lax.scan(step, state, (input_gates, keep))


class _Core(nn.Module):
    """The recurrent core over unrolls of the frames, which it sees a corner of."""

    lstm: Callable[..., tuple[trajectory.CoreState, jax.Array]]

    @nn.compact
    def __call__(self, pixels: jax.Array) -> jax.Array:
        inputs = pixels.reshape(pixels.shape[0], -1)[:, : networks.TORSO_FEATURES]
        gates = nn.Dense(4 * _CORE_SIZE)(inputs / 255.0)
        gates = gates.reshape(_UNROLL_LENGTH, -1, 4 * _CORE_SIZE)
        batch = gates.shape[1]
        kernel = self.param(
            "kernel", nn.initializers.lecun_normal(), (_CORE_SIZE, 4 * _CORE_SIZE)
        )
        keep = jnp.ones((_UNROLL_LENGTH, batch, 1))
        state = networks.zero_state(batch, _CORE_SIZE)
        return self.lstm(gates, keep, kernel, state)[1]


_PAIRS: dict[str, tuple[nn.Module, nn.Module]] = {
    "shallow torso, second convolution": (
        _SecondConv(lambda: nn.Conv(32, (4, 4), strides=2, padding="VALID")),
        _SecondConv(lambda: layers.FoldedConv(32, kernel_size=4, stride=2)),
    ),
    "deep torso, first pooling": (
        _FirstStage(lambda x: nn.max_pool(x, (3, 3), (2, 2), padding="SAME")),
        _FirstStage(layers.max_pool),
    ),
    "recurrent core, LSTM": (_Core(_ordinary_lstm), _Core(layers.lstm)),
}


def _cpu_milliseconds(calls: Sequence[Callable[[], Any]], repeats: int) -> list[float]:
    for call in calls:
        jax.block_until_ready(call())
    seconds = np.zeros((repeats, len(calls)))
    for repeat in range(repeats):
        for index, call in enumerate(calls):
            start = time.process_time()
            jax.block_until_ready(call())
            seconds[repeat, index] = time.process_time() - start
    return [round(float(x), 3) for x in 1e3 * np.median(seconds, axis=0)]


def _compare(
    modules: tuple[nn.Module, nn.Module], frames: int, repeats: int
) -> dict[str, dict[str, float]]:
    pixels = jax.random.randint(jax.random.key(0), (frames, 72, 96, 3), 0, 256)
    pixels = pixels.astype(jnp.uint8)
    forward, gradient = [], []
    for module in modules:
        variables = jax.jit(module.init)(jax.random.key(1), pixels)

        def loss(variables: Any, pixels: jax.Array, module: nn.Module) -> jax.Array:
            return jnp.sum(module.apply(variables, pixels) ** 2)

        apply = jax.jit(module.apply)
        differentiate = jax.jit(jax.grad(functools.partial(loss, module=module)))
        forward.append(functools.partial(apply, variables, pixels))
        gradient.append(functools.partial(differentiate, variables, pixels))
    return {
        name: dict(
            zip(("ordinary", "ours"), _cpu_milliseconds(calls, repeats), strict=True)
        )
        for name, calls in (("forward", forward), ("with gradient", gradient))
    }


def main(argv: list[str]) -> None:
    """Prints one JSON object."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    result = {
        f"{name}, {frames} frames": _compare(modules, frames, REPEATS.value)
        for name, modules in _PAIRS.items()
        for frames in FRAMES.value
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    app.run(main)
