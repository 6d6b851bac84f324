"""The loss as its tests call it: compiled, and with values that are not normalised."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from kickstarting.config.agent import LossConfig
from kickstarting.loss import popart, running_moments, vtrace
from tests import loss_reference

CONFIG = LossConfig(
    baseline_cost=0.5,
    reward_clipping="none",
    vtrace_lambda=1.0,
    policy_clip=0.0,
    advantage_normalisation=False,
)
ADVANTAGE_MOMENTS = running_moments.Moments(
    jnp.float32([0.3]),
    jnp.float32([loss_reference.ADVANTAGE_DEVIATION**2]),
    jnp.float32([loss_reference.ADVANTAGE_COUNT]),
)


def total_and_metrics(output, trajectory, hyperparameters, config):
    """Returns the loss where normalised values are the values themselves."""
    total, found = vtrace.loss(
        output,
        trajectory,
        popart.initial(1),
        ADVANTAGE_MOMENTS,
        hyperparameters,
        config,
    )
    return total, found.metrics


loss = jax.jit(total_and_metrics, static_argnums=3)


@functools.partial(jax.jit, static_argnums=3)
def gradient(output, trajectory, hyperparameters, config):
    return jax.grad(
        lambda output: total_and_metrics(output, trajectory, hyperparameters, config)[0]
    )(output)


def targets(output, trajectory, config=CONFIG):
    """Reads the V-trace targets from the baseline's gradient, V − v."""
    hyperparameters = loss_reference.random_unrolls()[2]._replace(
        entropy_cost=np.float32(0.0)
    )
    hyperparameters = hyperparameters._replace(
        kickstarting_weight=np.zeros_like(hyperparameters.kickstarting_weight)
    )
    value_gradient = gradient(output, trajectory, hyperparameters, config)
    errors = np.asarray(value_gradient.value) / config.baseline_cost
    return (output.value - errors)[..., 0]
