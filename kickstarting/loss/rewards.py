"""Clipping of rewards before they are learned from; scores never see it."""

import jax.numpy as jnp

from kickstarting.agent.trajectory import Array

_OPTIMISTIC_SCALE = 5.0
_NEGATIVE_FACTOR = 0.3


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
