"""Advantages in units of their own running mean and deviation.

PPO's implementations take a batch's own moments. A batch in which nothing happens is
then blown up until its noise weighs as much as a batch with a death in it. Running
moments keep the quiet batches quiet; docs/tuning.md says how they fared.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from kickstarting.types import Array

# Least share of a new batch in the moments; the first batches are averaged.
STEP_SIZE = 0.02
# Advantages that hardly vary are not blown up into noise.
MIN_DEVIATION = 1e-3


class Moments(NamedTuple):
    """Mean and mean square of the advantages, float32 [] each."""

    mean: Array
    second: Array


def initial() -> Moments:
    """Returns the moments that leave advantages as they are."""
    return Moments(jnp.zeros((), jnp.float32), jnp.ones((), jnp.float32))


def of_batch(
    advantages: Array, counted: Array, axis_name: str | None = None
) -> Moments:
    """Returns the moments of a batch over all devices.

    Args:
      advantages: float32 [B, T].
      counted: which steps count, 1 or 0, float32 [B, T].
      axis_name: of the devices' axis; the batch is a part of that on all of them.
    """
    sums = jnp.stack(
        [
            jnp.sum(counted),
            jnp.sum(advantages * counted),
            jnp.sum(advantages**2 * counted),
        ]
    )
    if axis_name is not None:
        sums = jax.lax.psum(sums, axis_name)
    count = jnp.maximum(sums[0], 1.0)
    return Moments(sums[1] / count, sums[2] / count)


def follow(moments: Moments, batch: Moments, updates: Array) -> Moments:
    """Returns the moments after a batch; `updates` were done before, int32 []."""
    share = jnp.maximum(1.0 / (updates + 1), STEP_SIZE)
    return jax.tree.map(lambda m, b: (1 - share) * m + share * b, moments, batch)


def deviation(moments: Moments) -> Array:
    """Returns the standard deviation, float32 [], at least MIN_DEVIATION."""
    variance = moments.second - moments.mean**2
    return jnp.sqrt(jnp.maximum(variance, MIN_DEVIATION**2))


def normalise(advantages: Array, moments: Moments) -> Array:
    """Returns the advantages, float32 [...], shifted and scaled by the moments."""
    return (advantages - moments.mean) / deviation(moments)
