"""The optimisers, with learning rate and ε as arguments of the compiled update."""

from typing import Any

import chex
import jax
import optax

from kickstarting.agent.trajectory import Array, Params
from kickstarting.config.run import OptimiserConfig

OptimiserState = Any


def init(config: OptimiserConfig, params: Params) -> OptimiserState:
    """Returns the optimiser's state, a pytree of arrays, for new parameters."""
    # Neither number is kept in the state.
    return _transformation(config, learning_rate=0.0, epsilon=0.0).init(params)


def update(
    config: OptimiserConfig,
    gradients: Params,
    state: OptimiserState,
    params: Params,
    learning_rate: Array,
    epsilon: Array,
) -> tuple[Params, OptimiserState, dict[str, Array]]:
    """Takes one step down the gradient.

    Adam is Kingma & Ba 2015, algorithm 1. RMSProp is TensorFlow 1's, for which
    IMPALA's ε was tuned: the mean square starts at 1, ε is added inside the root, and
    momentum gathers steps that the learning rate has scaled already.

    Args:
      config: static.
      gradients: shaped as params.
      state: of `init` or the last update.
      params: float32 arrays.
      learning_rate: float32 [], may be traced.
      epsilon: float32 [], may be traced.

    Returns:
      new parameters, new state, and the metric 'gradient_norm': float32 [], global
      norm before clipping.
    """
    chex.assert_trees_all_equal_shapes(gradients, params)
    chex.assert_rank([learning_rate, epsilon], 0)
    transformation = _transformation(config, learning_rate, epsilon)
    updates, state = transformation.update(gradients, state, params)
    metrics = {"gradient_norm": optax.tree.norm(gradients)}
    return optax.apply_updates(params, updates), state, metrics


def _transformation(
    config: OptimiserConfig,
    learning_rate: jax.typing.ArrayLike,
    epsilon: jax.typing.ArrayLike,
) -> optax.GradientTransformation:
    parts = []
    if config.max_gradient_norm:
        parts.append(optax.clip_by_global_norm(config.max_gradient_norm))
    if config.name == "adam":
        parts.append(optax.scale_by_adam(eps=epsilon))
    else:
        parts.append(
            optax.scale_by_rms(
                decay=config.decay, eps=epsilon, initial_scale=1.0, eps_in_sqrt=True
            )
        )
    parts.append(optax.scale(-learning_rate))
    if config.name == "rmsprop" and config.momentum:
        parts.append(optax.trace(decay=config.momentum))
    return optax.chain(*parts)
