"""Policies over those actions alone that an environment offers."""

import jax.numpy as jnp

from kickstarting.agent.trajectory import Array

# Finite, so that no difference of two such logits is NaN, and so far down that the
# exponential function gives exactly 0 in float32, at any temperature in use.
_UNAVAILABLE = -1e9
_LEAST_AVAILABLE = -1e8


def mask_logits(logits: Array, available_actions: Array) -> Array:
    """Takes the unavailable actions out of policies.

    What follows is exactly that of a policy over the available actions: the others have
    probability 0, no gradient, and no part in an entropy or a distance of two policies
    that are masked alike.

    Args:
      logits: float32 [..., A]; anything where the action is unavailable, even NaN. A
        policy of which no available action has any probability (a teacher may have
        logits of −inf) becomes the uniform one over them.
      available_actions: bool [..., A], of a shape that broadcasts to that of `logits`.

    Returns:
      float32 [..., A], in which only a NaN or a logit of +inf that is available is not
      finite.
    """
    bounded = jnp.maximum(logits, _LEAST_AVAILABLE)
    return jnp.where(available_actions, bounded, _UNAVAILABLE)
