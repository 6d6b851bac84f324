"""Plays whole episodes with fixed parameters and reports their raw returns."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from absl import logging

from kickstarting.acting import episodes as episodes_lib
from kickstarting.acting.policy import sample_actions
from kickstarting.agent import masking, trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from kickstarting.environments.dmlab import actions as dmlab_actions
from kickstarting.environments.stepping import batch

_WAIT_SECONDS = 0.2
NUM_ENVIRONMENTS = 4
# The 108,000 frames that Atari's episodes may take, at an action repeat of four: far
# more than any episode takes that comes to an end.
MAX_AGENT_STEPS = 27_000
# Evaluation keeps one observation at a time: the slot it writes alternates, so that the
# one being read is never written.
_NUM_SLOTS = 2


# Told, often, how many episodes have ended and how many agent steps were acted.
Watch = Callable[[int, int], None]


def _unwatched(finished: int, agent_steps: int) -> None:
    del finished, agent_steps


def _unkept(episode: episodes_lib.Episode) -> None:
    del episode


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
    max_agent_steps: int = MAX_AGENT_STEPS,
    lab: config_lib.LabConfig = config_lib.LabConfig(),
    deadline_seconds: float = config_lib.ENVIRONMENT_DEADLINE_SECONDS,
    earlier: Sequence[episodes_lib.Episode] = (),
    keep: Callable[[episodes_lib.Episode], None] = _unkept,
    should_stop: Callable[[], bool] = lambda: False,
    watch: Watch = _unwatched,
    say: Callable[[str], None] = logging.warning,
) -> episodes_lib.Episodes:
    """Plays `num_episodes` episodes of one task.

    Each environment plays a fixed share of the episodes, so that short episodes do not
    crowd out long ones. No episode is opened that is not played.

    Args:
      task: `suite:level`.
      player: what plays.
      num_episodes: episodes in all.
      seed: seeds the environments.
      action_repeat: environment frames for each agent step.
      held_out: plays what the suite holds out from training, where it does so; what is
        trained on otherwise.
      num_environments: environments side by side.
      max_agent_steps: of an episode, which counts with what it has got by then.
      lab: for the suites of DeepMind Lab; the player's action set counts.
      deadline_seconds: see TaskSettings.
      earlier: episodes that were played before, each environment's in order; only what
        is missing of its share is played.
      keep: given each episode as it ends.
      should_stop: asked often; True gives up.
      watch: see Watch; both numbers are with the earlier episodes'.
      say: told in one line, once, where an episode is cut.

    Returns:
      The episodes; fewer than `num_episodes` where it was told to stop.

    Raises:
      base.EnvironmentConfigError: the task cannot be made, or not be played.
    """
    share = episodes_lib.shares(num_episodes, num_environments)
    played = episodes_lib.within_shares(earlier, share)
    if len(played) < num_episodes and not should_stop():
        lab = dataclasses.replace(
            lab, action_set=dmlab_actions.set_of(player.action_names)
        )
        settings = base.TaskSettings(
            *(task, seed, action_repeat, held_out),
            waits_at_ends=True,
            lab=lab,
            deadline_seconds=deadline_seconds,
        )
        evaluation = _Evaluation(settings, player, share, played, max_agent_steps)
        try:
            evaluation.environments.start()
            was_cut = any(each.cut for each in played)
            while evaluation.is_missing_episodes and not should_stop():
                for episode in evaluation.advance():
                    played.append(episode)
                    keep(episode)
                    if episode.cut and not was_cut:
                        was_cut = True
                        say(_about_cut(task, episode))
                watch(len(played), evaluation.agent_steps)
        finally:
            evaluation.environments.close()
    return episodes_lib.in_order(played)


def _about_cut(task: str, episode: episodes_lib.Episode) -> str:
    return (
        f"An episode of {task} has not ended after {episode.agent_steps:,} agent "
        "steps: it, and others like it, are cut there and count with the return so "
        f"far ({episode.episode_return:.6g})."
    )


class _Evaluation:
    """Environments of one task with what each of them still has to play."""

    def __init__(
        self,
        settings: base.TaskSettings,
        player: Player,
        share: np.ndarray,
        played: Sequence[episodes_lib.Episode],
        max_agent_steps: int,
    ) -> None:
        left, steps = share.copy(), np.zeros(len(share), np.int32)
        for episode in played:
            left[episode.environment] -= 1
            steps[episode.environment] += episode.agent_steps
        # Their indices among all; those that are done are not even made.
        self._numbers = np.flatnonzero(left).astype(np.int32)
        self._left, self._steps = left[self._numbers], steps[self._numbers]
        done = share - left
        count = len(self._numbers)
        self.environments = suites.make_batch(
            [
                dataclasses.replace(
                    settings, seed=_seed(settings.seed, int(number), int(done[number]))
                )
                for number in self._numbers
            ],
            _NUM_SLOTS,
            1,
        )
        self._player = player
        self._max_agent_steps = max_agent_steps
        self._earlier_steps = int(steps.sum() - self._steps.sum())
        self._state = jax.tree.map(np.array, player.initial_state(count))
        self._every = np.arange(count, dtype=np.int32)
        self._last_action = np.zeros(count, np.int32)
        self._last_reward = np.zeros(count, np.float32)
        self._slot = np.zeros(count, np.int32)
        # Of the episode that goes on.
        self._return_so_far = np.zeros(count, np.float64)
        self._steps_so_far = np.zeros(count, np.int64)

    @property
    def is_missing_episodes(self) -> bool:
        return bool(self._left.any())

    @property
    def agent_steps(self) -> int:
        return self._earlier_steps + int(self._steps.sum())

    def advance(self) -> list[episodes_lib.Episode]:
        """Takes what is ready a step further; returns the episodes that have ended."""
        environments = self.environments
        ready = environments.wait(_WAIT_SECONDS)
        ready = ready[self._left[ready] > 0]
        if not len(ready):
            return []
        ended, first = environments.ended[ready], environments.first[ready]
        acted = ended | ~first
        self._return_so_far[ready] += environments.reward[ready]
        self._steps_so_far[ready] += 1
        self._return_so_far[ready[~acted]] = 0.0
        self._steps_so_far[ready[~acted]] = 0
        self._return_so_far[ready[ended]] = environments.episode_return[ready[ended]]
        self._steps_so_far[ready[ended]] = environments.episode_steps[ready[ended]]
        cut = ~ended & (self._steps_so_far[ready] >= self._max_agent_steps)
        over = ended | cut
        episodes = [
            episodes_lib.Episode(
                int(self._numbers[index]),
                float(self._return_so_far[index]),
                int(self._steps_so_far[index]),
                bool(was_cut),
            )
            for index, was_cut in zip(ready[over], cut[over], strict=True)
        ]
        self._left[ready[over]] -= 1
        self._return_so_far[ready[over]] = 0.0
        self._steps_so_far[ready[over]] = 0
        goes_on = self._left[ready] > 0
        self._open(ready[goes_on & over & ~first])
        self._act(ready[goes_on & (~over | first)])
        return episodes

    def _open(self, opening: np.ndarray) -> None:
        if len(opening):
            self._step(opening, np.full(len(opening), batch.OPEN_EPISODE, np.int32))

    def _act(self, playing: np.ndarray) -> None:
        if not len(playing):
            return
        environments, every, slot = self.environments, self._every, self._slot
        first = environments.first[playing]
        self._last_action[playing[first]] = 0
        self._last_reward[playing] = np.where(first, 0, environments.reward[playing])
        # Everything is computed for all environments, so that nothing recompiles.
        actions, new_state = self._player.act(
            trajectory.Observation(
                environments.pixels[every, slot, 0],
                environments.instruction[every, slot, 0],
                self._last_action,
                self._last_reward,
            ),
            environments.first,
            environments.available_actions[every, slot, 0],
            self._state,
            self._numbers,
            self._steps,
        )
        for old, new in zip(
            jax.tree.leaves(self._state), jax.tree.leaves(new_state), strict=True
        ):
            old[playing] = new[playing]
        self._last_action[playing] = actions[playing]
        self._steps[playing] += 1
        self._step(playing, actions[playing])

    def _step(self, indices: np.ndarray, actions: np.ndarray) -> None:
        self._slot[indices] = 1 - self._slot[indices]
        self.environments.step(
            indices, actions, self._slot[indices], np.zeros(len(indices), np.int32)
        )


def _seed(seed: int, environment: int, played: int) -> int:
    """Returns the seed of an environment that has played so many episodes before."""
    own = seed * 10_007 + environment
    if not played:
        return own
    # The old seed would play the old episodes again.
    return int(np.random.SeedSequence([own, played, 1]).generate_state(1)[0] >> 1)


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
