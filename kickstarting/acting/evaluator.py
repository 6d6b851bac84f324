"""Plays whole episodes with fixed parameters and reports their raw returns."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from kickstarting.acting.policy import sample_actions
from kickstarting.agent import masking, trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from kickstarting.environments.dmlab import actions as dmlab_actions

_WAIT_SECONDS = 0.2
NUM_ENVIRONMENTS = 4
# Evaluation keeps one observation at a time: the slot it writes alternates, so that the
# one being read is never written.
_NUM_SLOTS = 2


class Episodes(NamedTuple):
    """Raw returns float64 [n] and agent steps int64 [n] of finished episodes.

    They are in the order of the environments that played them.
    """

    returns: np.ndarray
    agent_steps: np.ndarray


class Player(Protocol):
    """What plays: a policy with a state for each environment."""

    @property
    def action_names(self) -> tuple[str, ...]:
        """Its action set."""

    def initial_state(self, count: int) -> Any:
        """Returns a pytree of arrays [count, ...]."""

    def act(
        self,
        observation: trajectory.Observation,
        first: np.ndarray,
        available_actions: np.ndarray,
        state: Any,
        environments: np.ndarray,
        steps: np.ndarray,
    ) -> tuple[np.ndarray, Any]:
        """Acts once in every environment.

        Args:
          observation: arrays [count, ...].
          first: bool [count]; True resets the state before the step.
          available_actions: bool [count, A]; no others are taken.
          state: as it was before the step.
          environments: int32 [count], their indices.
          steps: int32 [count], steps that each has acted so far.

        Returns:
          actions int32 [count] and the state after the step.
        """


class AgentPlayer:
    """An agent with fixed parameters."""

    def __init__(
        self, agent: Agent, params: trajectory.Params, seed: int, greedy: bool
    ) -> None:
        """Takes the agent.

        Args:
          agent: the student or a teacher's agent.
          params: of it.
          seed: of the sampling.
          greedy: takes the most probable action; samples otherwise.
        """
        self.action_names = agent.spec.action_names
        self._agent = agent
        self._params = params
        self._key = jax.random.key(seed)
        self._act = _sampler(agent, greedy)

    def initial_state(self, count: int) -> trajectory.CoreState:
        """See Player."""
        return jax.device_get(self._agent.initial_state(count))

    def act(
        self,
        observation: trajectory.Observation,
        first: np.ndarray,
        available_actions: np.ndarray,
        state: trajectory.CoreState,
        environments: np.ndarray,
        steps: np.ndarray,
    ) -> tuple[np.ndarray, trajectory.CoreState]:
        """See Player."""
        return jax.device_get(
            self._act(
                self._params,
                self._key,
                observation,
                first,
                available_actions,
                state,
                environments,
                steps,
            )
        )


def evaluate(
    task: str,
    player: Player,
    *,
    num_episodes: int,
    seed: int,
    action_repeat: int,
    held_out: bool = True,
    num_environments: int = NUM_ENVIRONMENTS,
    lab: config_lib.LabConfig = config_lib.LabConfig(),
    deadline_seconds: float = config_lib.ENVIRONMENT_DEADLINE_SECONDS,
    should_stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda finished: None,
) -> Episodes | None:
    """Plays `num_episodes` episodes of one task.

    Each environment plays a fixed share of the episodes, so that short episodes do not
    crowd out long ones.

    Args:
      task: `suite:level`.
      player: what plays.
      num_episodes: episodes in all.
      seed: seeds the environments.
      action_repeat: environment frames for each agent step.
      held_out: plays what the suite holds out from training, where it does so; what is
        trained on otherwise.
      num_environments: environments side by side.
      lab: for the suites of DeepMind Lab; the player's action set counts.
      deadline_seconds: see TaskSettings.
      should_stop: asked often; True gives up.
      progress: told the number of finished episodes.

    Returns:
      The episodes, or None where it was told to stop.

    Raises:
      base.EnvironmentConfigError: the task cannot be made.
    """
    count = min(num_environments, num_episodes)
    lab = dataclasses.replace(lab, action_set=dmlab_actions.set_of(player.action_names))
    settings = [
        base.TaskSettings(
            *(task, seed * 10_007 + index, action_repeat),
            held_out=held_out,
            lab=lab,
            deadline_seconds=deadline_seconds,
        )
        for index in range(count)
    ]
    quota = np.full(count, num_episodes // count)
    quota[: num_episodes % count] += 1
    environments = suites.make_batch(settings, _NUM_SLOTS, 1)
    state = jax.tree.map(np.array, player.initial_state(count))
    last_action, last_reward = np.zeros(count, np.int32), np.zeros(count, np.float32)
    slot, steps = np.zeros(count, np.int32), np.zeros(count, np.int32)
    every = np.arange(count, dtype=np.int32)
    returns: list[float] = []
    lengths: list[int] = []
    players: list[int] = []
    try:
        environments.start()
        while len(returns) < num_episodes:
            if should_stop():
                return None
            ready = environments.wait(_WAIT_SECONDS)
            ended = ready[environments.ended[ready] & (quota[ready] > 0)]
            quota[ended] -= 1
            returns.extend(environments.episode_return[ended])
            lengths.extend(environments.episode_steps[ended])
            players.extend(ended)
            if len(ended):
                progress(len(returns))
            playing = ready[quota[ready] > 0]
            if not len(playing):
                continue
            first = environments.first[playing]
            last_action[playing[first]] = 0
            last_reward[playing] = np.where(first, 0, environments.reward[playing])
            position = np.zeros(len(playing), np.int32)
            # Everything is computed for all environments, so that nothing recompiles.
            actions, new_state = player.act(
                trajectory.Observation(
                    environments.pixels[every, slot, 0],
                    environments.instruction[every, slot, 0],
                    last_action,
                    last_reward,
                ),
                environments.first,
                environments.available_actions[every, slot, 0],
                state,
                every,
                steps,
            )
            for old, new in zip(
                jax.tree.leaves(state), jax.tree.leaves(new_state), strict=True
            ):
                old[playing] = new[playing]
            last_action[playing] = actions[playing]
            steps[playing] += 1
            slot[playing] = 1 - slot[playing]
            environments.step(playing, actions[playing], slot[playing], position)
    finally:
        environments.close()
    # Not as they ended, which differs from time to time.
    order = np.argsort(players, kind="stable")
    return Episodes(np.array(returns)[order], np.array(lengths)[order])


# One agent plays many tasks, and is to be compiled once.
@functools.lru_cache(maxsize=1)
def _sampler(
    agent: Agent, greedy: bool
) -> Callable[..., tuple[jax.Array, trajectory.CoreState]]:
    def act(
        params: trajectory.Params,
        key: jax.Array,
        observation: trajectory.Observation,
        first: jax.Array,
        available_actions: jax.Array,
        state: trajectory.CoreState,
        environments: jax.Array,
        steps: jax.Array,
    ) -> tuple[jax.Array, trajectory.CoreState]:
        output, state = agent.step(params, observation, first, state)
        logits = masking.mask_logits(output.logits, available_actions)
        if greedy:
            return jnp.argmax(logits, -1).astype(jnp.int32), state
        return sample_actions(key, logits, environments, steps), state

    return jax.jit(act)
