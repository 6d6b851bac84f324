"""Teachers that act in the student's place: all of the time, or less and less.

A guide lives in one actor. It keeps the acting teachers' recurrent states, knows which
episodes a teacher had a hand in, and says how often a teacher acts:

  behaviour cloning: always.
  DAgger (Ross et al. 2011, https://arxiv.org/abs/1011.0686): at each step with
    probability β, which falls linearly from 1 to 0.
  jump-start (Uchendu et al. 2022, https://arxiv.org/abs/2204.02372): in the first h
    steps of each episode, where h falls linearly from guided_steps to 0. The paper
    lowers h when the return holds, or draws it; here frames lower it, as they do λ.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from absl import logging

from kickstarting.acting.policy import Guidance
from kickstarting.agent import trajectory
from kickstarting.config.run import KickstartingConfig
from kickstarting.config.teacher_uses import TEACHER_USES


def teacher_share(
    config: KickstartingConfig, frames: int, episode_steps: np.ndarray
) -> np.ndarray:
    """Returns how likely the teacher is to act.

    Args:
      config: with a use in which teachers act.
      frames: environment frames learned from so far.
      episode_steps: int [n], steps that were acted in each episode before this one.

    Returns:
      float32 [n] in [0, 1].
    """
    if not TEACHER_USES[config.use].hands_over:
        return np.ones(len(episode_steps), np.float32)
    left = max(1.0 - frames / config.guided_end_frames, 0.0)
    if config.use == "dagger":
        return np.full(len(episode_steps), left, np.float32)
    return (episode_steps < config.guided_steps * left).astype(np.float32)


class Guide:
    """The teachers that act in one actor's environments.

    Where several teach a task the first of them acts; where none does the student acts
    alone. The teachers are called in the actor's thread.
    """

    def __init__(
        self,
        config: KickstartingConfig,
        num_actions: int,
        teachers: Mapping[str, trajectory.Teacher],
        teacher_of_environment: Sequence[str | None],
    ) -> None:
        """Opens nothing yet.

        Args:
          config: with a use in which teachers act.
          num_actions: A.
          teachers: by name.
          teacher_of_environment: for each of E environments the name of the teacher
            that acts in it, or None.
        """
        self._config = config
        self._num_actions = num_actions
        num_environments = len(teacher_of_environment)
        names = np.array([name or "" for name in teacher_of_environment])
        # Each teacher with the environments in which it acts.
        self._acting = [
            (teachers[name], names == name)
            for name in sorted(set(names.tolist()))
            if name
        ]
        self._has_teacher = names != ""
        self._states = [
            jax.tree.map(np.array, teacher.initial_state(num_environments))
            for teacher, _ in self._acting
        ]
        self._episode_steps = np.zeros(num_environments, np.int64)
        self._guided = np.zeros(num_environments, bool)
        self._guided_episodes = 0
        self._unguided_steps = 0

    def guidance(
        self,
        environments: np.ndarray,
        observation: trajectory.Observation,
        first: np.ndarray,
        frames: int,
    ) -> Guidance | None:
        """Says what the teachers would do now, one step after the last call.

        A teacher is asked about every step that it may have to act in or to remember:
        not any more in an episode that has been handed over to the student for good.

        Args:
          environments: int32 [n] that act now.
          observation: arrays [n, ...], theirs.
          first: bool [n]; True resets the teachers' states.
          frames: environment frames learned from so far.

        Returns:
          the guidance [n], or None where the student acts alone in all of them.
        """
        self._episode_steps[environments[first]] = 0
        self._guided[environments[first]] = False
        steps = self._episode_steps[environments]
        self._episode_steps[environments] += 1
        share = teacher_share(self._config, frames, steps)
        share *= self._has_teacher[environments]
        if not share.any():
            if self._is_over(frames):
                # Nobody acts any more; their memory is given back.
                self._acting, self._states = [], []
            return None
        self._guided[environments] |= share > 0
        logits = np.zeros((len(environments), self._num_actions), np.float32)
        for (teacher, acts_in), states in zip(self._acting, self._states, strict=True):
            rows = np.flatnonzero(acts_in[environments] & (share > 0))
            if len(rows):
                logits[rows] = _step(
                    teacher,
                    states,
                    environments[rows],
                    jax.tree.map(lambda x, rows=rows: x[rows], (observation, first)),
                )
        # −inf is a probability of 0. Else the student acts: such a policy is none.
        unusable = ~np.isfinite(logits.max(axis=-1))
        if unusable.any():
            logging.log_first_n(
                logging.WARNING,
                "A teacher that is to act answered what is not finite: the student "
                "acts instead, and such steps are counted (unguided_steps).",
                1,
            )
            self._unguided_steps += int(np.sum(unusable & (share > 0)))
            logits[unusable], share[unusable] = 0.0, 0.0
        return Guidance(logits, share)

    def _is_over(self, frames: int) -> bool:
        hands_over = TEACHER_USES[self._config.use].hands_over
        return hands_over and frames >= self._config.guided_end_frames

    def without_guided(self, environments: np.ndarray) -> np.ndarray:
        """Leaves out and counts those whose episode a teacher had a hand in.

        Their returns are not the student's.

        Args:
          environments: int32 [n] in which an episode has just ended.
        """
        guided = self._guided[environments]
        self._guided_episodes += int(guided.sum())
        return environments[~guided]

    def counters(self) -> dict[str, float]:
        """Returns running totals for the telemetry."""
        counters = {"guided_episodes": float(self._guided_episodes)}
        if self._unguided_steps:
            counters["unguided_steps"] = float(self._unguided_steps)
        return counters


def _step(
    teacher: trajectory.Teacher, states: Any, environments: np.ndarray, seen: Any
) -> np.ndarray:
    """Asks one teacher, and moves its `states` [E, ...] on in place.

    Args:
      teacher: which acts.
      states: its states in all environments.
      environments: int32 [n].
      seen: (Observation [n, ...], first [n]).

    Returns:
      logits float32 [n, A].
    """
    observation, first = jax.tree.map(lambda x: x[:, None], seen)
    state = jax.tree.map(lambda x: x[environments], states)
    logits, state = teacher.label(observation, first, state)

    def write(target: np.ndarray, new: np.ndarray) -> None:
        target[environments] = new

    jax.tree.map(write, states, state)
    return np.asarray(logits)[:, 0]
