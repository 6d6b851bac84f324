"""Advantages in units of their own running mean and deviation.

PPO's implementations take a batch's own moments. A batch in which nothing happens is
then blown up until its noise weighs as much as a batch with a death in it. Running
moments keep the quiet batches quiet; docs/tuning.md says how they fared.
"""

import jax.numpy as jnp

from kickstarting.agent.trajectory import Array
from kickstarting.loss.running_moments import Moments

# Least share of a new batch in the moments; the first batches are averaged.
STEP_SIZE = 0.02
# Advantages that hardly vary are not blown up into noise.
MIN_DEVIATION = 1e-3


def deviation(moments: Moments) -> Array:
    """Returns the standard deviations, float32 [N], each at least MIN_DEVIATION."""
    variance = moments.second - moments.mean**2
    return jnp.sqrt(jnp.maximum(variance, MIN_DEVIATION**2))


def normalise(advantages: Array, group: Array, moments: Moments) -> Array:
    """Returns the advantages shifted and scaled by the moments of their group.

    Args:
      advantages: float32 [B, T].
      group: of each row, int32 [B].
      moments: of all groups.
    """
    shift, scale = moments.mean[group], deviation(moments)[group]
    return (advantages - shift[:, None]) / scale[:, None]
