"""Advantages around their batch's mean, in units of a running deviation.

PPO's implementations divide by a batch's own deviation. A batch in which nothing
happens is then blown up until its noise weighs as much as a batch with a death in it. A
running deviation keeps the quiet batches quiet. The mean is the batch's own: a running
one would push all of a batch's actions one way where the critic is off for a while.
"""

from typing import NamedTuple

import jax.numpy as jnp

from kickstarting.agent.trajectory import Array
from kickstarting.loss import running_moments
from kickstarting.loss.running_moments import Moments

# Least share of a new batch in the deviation.
STEP_SIZE = 0.02
# Advantages that never vary are not blown up into noise.
MIN_DEVIATION = 1e-3


class Normalised(NamedTuple):
    """Advantages after normalisation.

    Attributes:
      advantages: float32 [B, T]; 0 where nothing counts.
      moments: of all groups, this batch included; `second` is of what is left about
        each batch's mean.
    """

    advantages: Array
    moments: Moments


def deviation(moments: Moments) -> Array:
    """Returns the standard deviations, float32 [N], each at least MIN_DEVIATION."""
    return jnp.sqrt(jnp.maximum(moments.second, MIN_DEVIATION**2))


def normalise(
    advantages: Array,
    counted: Array,
    group: Array,
    moments: Moments,
    axis_name: str | None = None,
) -> Normalised:
    """Centres each group's advantages and divides them by its running deviation.

    Args:
      advantages: float32 [B, T].
      counted: which of them count, 1 or 0, float32 [B, T].
      group: of each row, int32 [B].
      moments: of the batches before.
      axis_name: of the devices' axis; the batch is a part of that on all of them.
    """
    batch = running_moments.of_batch(
        advantages, counted, group, moments.mean.size, axis_name
    )
    about_mean = batch._replace(second=batch.second - batch.mean**2)
    followed = running_moments.follow(moments, about_mean, STEP_SIZE)
    centred = advantages - batch.mean[group][:, None]
    scaled = centred / deviation(followed)[group][:, None]
    return Normalised(scaled * counted, followed)
