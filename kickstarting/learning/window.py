"""The window: unrolls on the devices that the learner passes over more than once.

PPO's way to learn more from what was acted (Schulman et al. 2017, algorithm 1,
https://arxiv.org/abs/1707.06347), with V-trace's targets and ratios computed anew in
each update. An unroll keeps its place in the batch, and so its device: a pass draws for
each place the order in which that place's unrolls are learned from. So one device and
several learn from the same batches, and nothing moves between devices.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from kickstarting.learning import placement

# Of arrays [devices, B / devices, ...].
Batch = TypeVar("Batch")


def rows(
    random: np.random.Generator, num_batches: int, batch_size: int, passes: int
) -> Iterator[np.ndarray]:
    """Yields which of a window's batches each place of an update's batch is taken from.

    Args:
      random: shuffles.
      num_batches: M, that the window was gathered from.
      batch_size: B.
      passes: over the whole window; each takes every unroll once.

    Yields:
      int32 [B], passes times M of them.
    """
    for _ in range(passes):
        order = np.tile(np.arange(num_batches, dtype=np.int32)[:, None], batch_size)
        yield from random.permuted(order, axis=0)


def batches(
    gathered: Sequence[Batch], passes: int, seed: Sequence[int]
) -> Iterator[Batch]:
    """Yields the batches of all passes over a window.

    A window of one batch is that batch, each time.

    Args:
      gathered: M batches, trees of arrays as Update.shard gives them, [devices, B /
        devices, ...].
      passes: over all of them.
      seed: of the shuffling.

    Yields:
      arrays like those of one of `gathered`.
    """
    if len(gathered) == 1:
        yield from [gathered[0]] * passes
        return
    one = jax.tree.leaves(gathered[0])[0]
    stack, take = _programs(tuple(each.device for each in one.addressable_shards))
    window = stack(tuple(gathered))
    devices, per_device = one.shape[:2]
    random = np.random.default_rng(seed)
    for row in rows(random, len(gathered), devices * per_device, passes):
        yield take(window, row.reshape(devices, per_device))


@functools.cache
def _programs(devices: tuple[jax.Device, ...]) -> tuple[Callable, Callable]:
    """Returns the compiled `_stack` and `_take`."""
    return (
        jax.pmap(_stack, axis_name=placement.AXIS, devices=devices),
        jax.pmap(_take, axis_name=placement.AXIS, devices=devices),
    )


def _stack(gathered: tuple[Any, ...]) -> Any:
    """Returns a device's arrays [B / devices, M, ...] of M batches."""
    return jax.tree.map(lambda *x: jnp.stack(x, axis=1), *gathered)


def _take(window: Any, row: jax.Array) -> Any:
    """Returns for each place the unroll of the batch that `row` names for it."""
    of_place = jax.vmap(lambda unrolls, index: unrolls[index])
    return jax.tree.map(lambda x: of_place(x, row), window)
