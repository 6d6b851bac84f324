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


class Normalised(NamedTuple):
    """Advantages after normalisation.

    Attributes:
      advantages: float32 [B, T]; 0 where nothing counts.
      deviation: by which each group's were divided, float32 [N].
      moments: of all groups, this batch included.
    """

    advantages: Array
    deviation: Array
    moments: Moments


def normalise(
    advantages: Array,
    counted: Array,
    group: Array,
    moments: Moments,
    least_deviation: float,
    fresh: bool = True,
    axis_name: str | None = None,
) -> Normalised:
    """Shifts each group's advantages and divides them by its running deviation.

    Args:
      advantages: float32 [B, T].
      counted: which of them count, 1 or 0, float32 [B, T].
      group: of each row, int32 [B].
      moments: of the batches before. Where `fresh`, `second` is of what was left about
        each batch's mean.
      least_deviation: what they are divided by where their deviation is smaller.
      fresh: False takes the running mean, and mean and deviation without this batch.
      axis_name: of the devices' axis; the batch is a part of that on all of them.
    """
    batch = running_moments.of_batch(
        advantages, counted, group, moments.mean.size, axis_name
    )
    if fresh:
        about_mean = batch._replace(second=batch.second - batch.mean**2)
        followed = running_moments.follow(moments, about_mean, STEP_SIZE)
        shift, variance = batch.mean, followed.second
    else:
        followed = running_moments.follow(moments, batch, STEP_SIZE, fresh=False)
        shift, variance = moments.mean, moments.second - moments.mean**2
    deviation = jnp.sqrt(jnp.maximum(variance, least_deviation**2))
    scaled = (advantages - shift[group][:, None]) / deviation[group][:, None]
    return Normalised(scaled * counted, deviation, followed)
