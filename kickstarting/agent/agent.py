"""The stateless agent: a network fitted to a task's spec, as pure functions.

Arrays are batch-major here, as actors and the queue deliver them.
"""

import jax
import jax.numpy as jnp
import numpy as np

from kickstarting.agent import networks
from kickstarting.agent.trajectory import (
    AgentOutput,
    Array,
    CoreState,
    Observation,
    Params,
)
from kickstarting.config.agent import NetworkConfig
from kickstarting.config.run import ConfigError
from kickstarting.environments.base import MAX_GRID_SIZE, EnvironmentSpec


class Agent:
    """Acts and unrolls; holds no parameters and no state, and jits nothing.

    Agents of one spec and one network are equal, so that they share what is compiled.

    Attributes:
      spec: what the network was fitted to.
      torso: the torso in use, 'auto' resolved.
    """

    def __init__(self, spec: EnvironmentSpec, network: NetworkConfig) -> None:
        """Fits the network to the spec.

        Raises:
          ConfigError: the torso cannot take frames of the spec's shape.
        """
        self.spec = spec
        self._identity = (spec, network)
        self.torso = _resolve_torso(network.torso, spec.frame_shape)
        self._core_size = network.core_size
        self._network = networks.ActorCritic(
            num_actions=spec.num_actions,
            torso=self.torso,
            core_size=network.core_size,
            num_values=network.num_values,
            language=network.language,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Agent) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def init_params(self, key: Array) -> Params:
        """Returns new parameters, a nested dict of float32 arrays."""
        observation = Observation(
            pixels=jnp.zeros((1, 1, *self.spec.frame_shape), jnp.uint8),
            instruction=jnp.zeros((1, 1, self.spec.instruction_length), jnp.int32),
            last_action=jnp.zeros((1, 1), jnp.int32),
            last_reward=jnp.zeros((1, 1), jnp.float32),
        )
        first = jnp.ones((1, 1), bool)
        variables = self._network.init(
            key, observation, first, self.initial_state(batch_size=1)
        )
        return variables["params"]

    def initial_state(self, batch_size: int) -> CoreState:
        """Returns the CoreState [batch_size, core size] that opens an episode."""
        return networks.zero_state(batch_size, self._core_size)

    def step(
        self, params: Params, observation: Observation, first: Array, state: CoreState
    ) -> tuple[AgentOutput, CoreState]:
        """Acts once.

        Args:
          params: of `init_params`.
          observation: Observation [B, ...].
          first: bool [B]; True resets the state before the step.
          state: CoreState [B, core size] before the step.

        Returns:
          AgentOutput [B, ...] and the state after the step.
        """
        observation, first = jax.tree.map(lambda x: x[:, None], (observation, first))
        output, state = self.unroll(params, observation, first, state)
        return jax.tree.map(lambda x: x[:, 0], output), state

    def unroll(
        self, params: Params, observation: Observation, first: Array, state: CoreState
    ) -> tuple[AgentOutput, CoreState]:
        """Acts T times on given observations.

        Args:
          params: of `init_params`.
          observation: Observation [B, T, ...].
          first: bool [B, T]; True resets the state before that step.
          state: CoreState [B, core size] before step 0.

        Returns:
          AgentOutput [B, T, ...] and the state after step T - 1.
        """
        return self._network.apply({"params": params}, observation, first, state)


def num_parameters(params: Params) -> int:
    """Returns how many numbers `params` holds."""
    return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(params))


def _resolve_torso(torso: str, frame_shape: tuple[int, int, int]) -> str:
    height, width, _ = frame_shape
    is_grid = max(height, width) <= MAX_GRID_SIZE
    if torso == "auto":
        torso = "grid" if is_grid else "shallow"
    if torso in networks.GRID_TORSOS and not is_grid:
        raise ConfigError(
            f"the {torso} torso is for frames up to {MAX_GRID_SIZE} cells "
            f"wide and high, not {height}x{width}; choose shallow or deep"
        )
    smallest = networks.SHALLOW_MIN_FRAME
    if torso == "shallow" and min(height, width) < smallest:
        raise ConfigError(
            f"the shallow torso needs frames of {smallest}x{smallest} or more, not "
            f"{height}x{width}; choose grid or deep"
        )
    return torso
