"""Measures how good a teacher is at a task by letting it play."""

from typing import Any

import jax
import numpy as np

from kickstarting.acting import evaluator
from kickstarting.acting.policy import sample_actions
from kickstarting.agent import masking, trajectory
from kickstarting.config import run as config_lib
from kickstarting.scores import normalised as scores
from kickstarting.teaching import answers


class TeacherPlayer:
    """Acts as a teacher's policy says, whatever kind of teacher it is.

    Attributes:
      action_names: the teacher's.
    """

    def __init__(self, teacher: trajectory.Teacher, seed: int) -> None:
        """Takes the teacher and the seed of the sampling."""
        self.action_names = tuple(teacher.action_names)
        self._teacher = teacher
        self._key = jax.random.key(seed)
        self._sample = jax.jit(_sample)

    def initial_state(self, count: int) -> Any:
        """See evaluator.Player."""
        return self._teacher.initial_state(count)

    def act(
        self,
        observation: trajectory.Observation,
        first: np.ndarray,
        available_actions: np.ndarray,
        state: Any,
        environments: np.ndarray,
        steps: np.ndarray,
    ) -> tuple[np.ndarray, Any]:
        """See evaluator.Player.

        Raises:
          TeacherError: the teacher failed; see answers.ask.
        """
        slices, opens = jax.tree.map(lambda x: x[:, None], (observation, first))
        logits, state = answers.ask(self._teacher, slices, opens, state)
        actions = self._sample(
            self._key, logits[:, 0], available_actions, environments, steps
        )
        return np.asarray(actions), state


def _sample(
    key: jax.Array,
    logits: jax.Array,
    available_actions: jax.Array,
    environments: jax.Array,
    steps: jax.Array,
) -> jax.Array:
    logits = masking.mask_logits(logits, available_actions)
    return sample_actions(key, logits, environments, steps)


def measure(
    teacher: trajectory.Teacher,
    task: str,
    *,
    num_episodes: int,
    seed: int,
    action_repeat: int,
    lab: config_lib.LabConfig = config_lib.LabConfig(),
    deadline_seconds: float = config_lib.ENVIRONMENT_DEADLINE_SECONDS,
    **hooks: Any,
) -> scores.Summary | None:
    """Plays episodes of what the task trains on and summarises their raw returns.

    Args:
      teacher: what plays.
      task: `suite:level`.
      num_episodes: to play.
      seed: seeds environments and sampling.
      action_repeat: environment frames for each agent step.
      lab: for the suites of DeepMind Lab.
      deadline_seconds: see TaskSettings.
      **hooks: `earlier`, `keep`, `should_stop`, `watch` and `say` of
        evaluator.evaluate.

    Returns:
      the summary; None where it was told to stop.

    Raises:
      base.EnvironmentConfigError: the task cannot be made, or not be played.
      cards.TeacherError: the teacher failed; the message goes on after its name.
    """
    episodes = evaluator.evaluate(
        task,
        TeacherPlayer(teacher, seed),
        num_episodes=num_episodes,
        seed=seed,
        action_repeat=action_repeat,
        held_out=False,
        lab=lab,
        deadline_seconds=deadline_seconds,
        **hooks,
    )
    if len(episodes.returns) < num_episodes:
        return None
    return scores.summarise(episodes.returns.tolist())
