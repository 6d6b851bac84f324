"""Scaling and clipping of rewards before they are learned from; scores see neither."""

from collections.abc import Sequence

import chex
import jax.numpy as jnp

from kickstarting.agent.trajectory import Array

_OPTIMISTIC_SCALE = 5.0
_NEGATIVE_FACTOR = 0.3


def scale(reward: Array, task: Array, scales: Sequence[float]) -> Array:
    """Multiplies the rewards of each task by a number of its own.

    Args:
      reward: float32 [B, T].
      task: of each unroll, int32 [B].
      scales: of each task; empty: all are 1.

    Returns:
      float32 [B, T].
    """
    if not scales:
        return reward
    chex.assert_shape(task, reward.shape[:1])
    return reward * jnp.asarray(scales, jnp.float32)[task][:, None]


def clip(reward: Array, clipping: str) -> Array:
    """Clips rewards.

    'soft_asymmetric' is IMPALA's optimistic asymmetric clipping (Espeholt et al. 2018,
    figure D.1) as its code computes it: t = tanh(r / 5); 5 t where r >= 0, 0.3 * 5 t
    elsewhere. The figure prints another formula; the code's made the published scores.

    Args:
      reward: float32 [...].
      clipping: one of config.REWARD_CLIPPINGS.

    Returns:
      float32 [...].

    Raises:
      ValueError: `clipping` is unknown.
    """
    if clipping == "none":
        return reward
    if clipping == "abs_one":
        return jnp.clip(reward, -1.0, 1.0)
    if clipping == "soft_asymmetric":
        squashed = _OPTIMISTIC_SCALE * jnp.tanh(reward / _OPTIMISTIC_SCALE)
        return jnp.where(reward < 0, _NEGATIVE_FACTOR * squashed, squashed)
    raise ValueError(f"there is no reward clipping {clipping!r}; see config")
