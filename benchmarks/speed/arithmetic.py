"""How near what is computed comes to what the processor can compute."""

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.speed import costs
from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import run as config_lib
from kickstarting.environments import base

_PRODUCT_SIZE = 1024
# A gradient costs a product for the inputs and one for the weights where the forward
# pass has one.
_FORWARD_PASSES_OF_UPDATE = 3


def product_gflops(seconds: float) -> float:
    """Returns 10^9 operations in a CPU second of a 1024 x 1024 float32 product.

    Args:
      seconds: that it is measured.
    """
    random = np.random.default_rng(0)
    one, other = random.normal(size=(2, _PRODUCT_SIZE, _PRODUCT_SIZE)).astype("float32")
    multiply = jax.jit(jnp.matmul)

    def step() -> int:
        jax.block_until_ready(multiply(one, other))
        return 1

    milliseconds = costs.cost(step, seconds)["cpu_ms_per_step"]
    return 2 * _PRODUCT_SIZE**3 / (1e6 * milliseconds)


def update_gflops(
    config: config_lib.Config, spec: base.EnvironmentSpec, cpu_ms_per_step: float
) -> float:
    """Returns 10^9 operations in a CPU second of the update, counted by XLA.

    Args:
      config: of the run.
      spec: of its environments.
      cpu_ms_per_step: of the update, for an agent step.
    """
    agent = Agent(spec, config.network)
    # Of one step: XLA counts what a loop repeats once.
    observation = trajectory.Observation(
        np.zeros((1, *spec.frame_shape), np.uint8),
        np.zeros((1, spec.instruction_length), np.int32),
        np.zeros(1, np.int32),
        np.zeros(1, np.float32),
    )
    lowered = jax.jit(agent.step).lower(
        agent.init_params(jax.random.key(0)),
        observation,
        np.zeros(1, bool),
        agent.initial_state(1),
    )
    flops = lowered.compile().cost_analysis()["flops"]
    return _FORWARD_PASSES_OF_UPDATE * flops / (1e6 * cpu_ms_per_step)
