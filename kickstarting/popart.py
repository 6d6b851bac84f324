"""PopArt: the critic learns returns that are shifted and scaled to mean 0, variance 1.

van Hasselt et al. 2016 (https://arxiv.org/abs/1602.07714), algorithm 1; Hessel et al.
2018 (https://arxiv.org/abs/1809.04474) for its use in IMPALA. The network's value is
the normalised one. What it is for: where returns are large (a living reward at
γ = 0.99 adds up to 100) a critic of raw returns sends a gradient into the shared core
that drowns the policy's. docs/tuning.md says how it fared.
"""

from typing import NamedTuple

import jax.numpy as jnp

from kickstarting import rlax_loader
from kickstarting.types import Array, Params

rlax = rlax_loader.load()

# Least share of a new batch in the statistics, which so follow some hundred updates.
# The first batches are averaged: large returns would otherwise be learned from before
# they are normalised, and Adam would remember those gradients for a thousand updates.
STEP_SIZE = 0.01
# Returns that hardly vary are not blown up into noise.
MIN_SCALE = 0.1
MAX_SCALE = 1e6


class Statistics(NamedTuple):
    """Running mean, deviation and second moment of the targets, float32 [1] each."""

    shift: Array
    scale: Array
    second_moment: Array


def initial() -> Statistics:
    """Returns the statistics under which a normalised value is the value itself."""
    return Statistics(*(jnp.full((1,), x, jnp.float32) for x in (0, 1, 1)))


def value(statistics: Statistics, normalised: Array) -> Array:
    """Returns the values, float32 [...], that the network's outputs stand for."""
    return statistics.scale[0] * normalised + statistics.shift[0]


def update(
    statistics: Statistics,
    params: Params,
    targets: Array,
    updates: Array,
    axis_name: str,
    num_devices: int,
) -> tuple[Statistics, Params]:
    """Follows the targets, and rescales the value head so that its values stay.

    Args:
      statistics: before.
      params: of the network; the linear layer 'value' is rescaled.
      targets: of the values of this device's part of the batch, float32 [B, T].
      updates: done before, int32 [].
      axis_name: of the devices' axis.
      num_devices: on that axis.

    Returns:
      the new statistics and parameters.
    """
    share = jnp.maximum(1.0 / (updates + 1), STEP_SIZE)
    _, rescale = rlax.popart(
        num_outputs=1,
        step_size=share / (targets.size * num_devices),
        scale_lb=MIN_SCALE,
        scale_ub=MAX_SCALE,
        axis_name=axis_name,
    )
    head = {"w": params["value"]["kernel"], "b": params["value"]["bias"]}
    head, statistics = rescale(
        head, statistics, targets, jnp.zeros(targets.shape, jnp.int32)
    )
    head = {"kernel": head["w"], "bias": head["b"]}
    return Statistics(*statistics), {**params, "value": head}
