"""PopArt: the critic learns returns that are shifted and scaled to mean 0, variance 1.

van Hasselt et al. 2016 (https://arxiv.org/abs/1602.07714), algorithm 1; Hessel et al.
2018 (https://arxiv.org/abs/1809.04474) for its use in IMPALA and with many tasks. The
network's values are the normalised ones, one output for all tasks or one for each. What
it is for: where returns are large (a living reward at γ = 0.99 adds up to 100) a critic
of raw returns sends a gradient into the shared core that drowns the policy's, and a
task with large returns drowns the others. docs/tuning_rounds.md says how it fared.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from kickstarting.agent.trajectory import VALUE_HEAD, Array, Params
from kickstarting.loading import rlax_loader
from kickstarting.loss import running_moments
from kickstarting.loss.running_moments import Moments

rlax = rlax_loader.load()

# Least share of a new batch in the statistics, which so follow some hundred updates.
STEP_SIZE = 0.01
# While a batch's share is larger, values move with the statistics. A critic that starts
# at 0 where returns are a hundred would have to go there by its gradients, which are
# then all that the torso hears of for half of a short run.
_SETTLED_SHARE = 0.1
# Returns that hardly vary are not blown up into noise.
MIN_SCALE = 0.1
MAX_SCALE = 1e6


class Statistics(NamedTuple):
    """Of the returns, for each of the network's N outputs.

    Attributes:
      moments: of the V-trace targets.
      scale: their deviation, within the bounds, float32 [N]. It is kept, for computed
        once more from large moments it would be rounded in another way.
    """

    moments: Moments
    scale: Array


def initial(num_outputs: int) -> Statistics:
    """Returns the statistics under which a normalised value is the value itself."""
    return Statistics(
        running_moments.initial(num_outputs), jnp.ones(num_outputs, jnp.float32)
    )


def value(statistics: Statistics, normalised: Array, output: Array) -> Array:
    """Returns the values that the network's outputs stand for.

    Args:
      statistics: of the returns, of N outputs.
      normalised: of the network, float32 [B, T, N].
      output: whose value is meant, int32 [B].

    Returns:
      float32 [B, T].
    """
    own = jnp.take_along_axis(normalised, output[:, None, None], axis=-1)[..., 0]
    own_output = jnp.broadcast_to(output[:, None], own.shape)
    return rlax.unnormalize(_state(statistics), own, own_output)


def update(
    statistics: Statistics, params: Params, targets: Moments, fresh: bool = True
) -> tuple[Statistics, Params]:
    """Follows the targets, and rescales the value head so that its values stay.

    At first, while the statistics still move fast, the head stays as it is instead.

    Args:
      statistics: before.
      params: of the network; the value head is rescaled.
      targets: moments of this batch's V-trace targets.
      fresh: False averages the first targets, and the values always stay.

    Returns:
      the new statistics and parameters.
    """
    share = running_moments.share(statistics.moments, targets, STEP_SIZE, fresh)
    moments = running_moments.follow(statistics.moments, targets, STEP_SIZE, fresh)
    variance = moments.second - moments.mean**2
    scale = jnp.sqrt(jnp.clip(variance, MIN_SCALE**2, MAX_SCALE**2))
    followed = Statistics(moments, scale)
    rescaled = _rescale(params, statistics, followed)
    if not fresh:
        return followed, rescaled
    head = jax.tree.map(
        lambda kept, moved: jnp.where(share > _SETTLED_SHARE, kept, moved),
        params[VALUE_HEAD],
        rescaled[VALUE_HEAD],
    )
    return followed, {**params, VALUE_HEAD: head}


def at_the_mean(params: Params) -> Params:
    """Returns parameters whose values are the mean of the returns in every state."""
    return {**params, VALUE_HEAD: jax.tree.map(jnp.zeros_like, params[VALUE_HEAD])}


def denormalise(statistics: Statistics, params: Params) -> Params:
    """Returns parameters whose network gives the values themselves.

    Args:
      statistics: under which the network's values are normalised.
      params: of the network; the value head is rescaled.
    """
    return _rescale(params, statistics, initial(len(statistics.scale)))


def _rescale(params: Params, before: Statistics, after: Statistics) -> Params:
    """Rescales the value head so that its values stay under new statistics."""
    head = rlax.pop(
        {"w": params[VALUE_HEAD]["kernel"], "b": params[VALUE_HEAD]["bias"]},
        _state(before),
        _state(after),
    )
    return {**params, VALUE_HEAD: {"kernel": head["w"], "bias": head["b"]}}


def _state(statistics: Statistics):
    moments, scale = statistics
    return rlax.PopArtState(moments.mean, scale, moments.second)
