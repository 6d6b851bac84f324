"""Plays an episode and draws it with what student and teacher would do."""

import dataclasses
from collections.abc import Iterator

import jax
import numpy as np

from kickstarting.agent import masking, trajectory
from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from kickstarting.environments.dmlab import actions as dmlab_actions
from kickstarting.reporting import video
from launch.reports import policies

# A grid world's step is worth a longer look than four frames of a 35 Hz game.
GAME_FRAMES_PER_SECOND = 35.0


def episode_frames(
    student: policies.Policy,
    teacher: trajectory.Teacher | None,
    task: str,
    *,
    seed: int,
    greedy: bool,
    max_steps: int,
    lab: config_lib.LabConfig = config_lib.LabConfig(),
) -> Iterator[np.ndarray]:
    """Yields the pictures of one episode.

    An environment that renders itself is shown so, beside what the student sees of it.

    Args:
      student: what acts.
      teacher: asked about every observation that the student sees; may be None.
      task: `suite:level`.
      seed: seeds the environment and the sampling.
      greedy: takes the most probable action; samples otherwise.
      max_steps: agent steps after which the recording ends.
      lab: for the suites of DeepMind Lab; the student's action set counts.

    Yields:
      uint8 [H', W', 3].

    Raises:
      base.EnvironmentConfigError: the environment cannot be made.
    """
    action_set = dmlab_actions.set_of(student.spec.action_names)
    lab = dataclasses.replace(lab, action_set=action_set)
    environment = suites.make_environment(
        base.TaskSettings(
            *(task, seed, student.spec.action_repeat), rendered=True, lab=lab
        )
    )
    random = np.random.default_rng(seed)
    step = jax.jit(student.agent.step)
    state = jax.tree.map(np.asarray, student.agent.initial_state(1))
    teacher_state = teacher.initial_state(1) if teacher else None
    last_action, total = 0, 0.0
    try:
        timestep = environment.reset()
        for number in range(max_steps):
            observation = trajectory.Observation(
                pixels=np.asarray(timestep.observation[base.PIXELS])[None],
                instruction=np.asarray(timestep.observation[base.INSTRUCTION])[None],
                last_action=np.array([last_action], np.int32),
                last_reward=np.array([timestep.reward or 0.0], np.float32),
            )
            first = np.array([number == 0])
            output, state = step(student.params, observation, first, state)
            available_actions = environment.available_actions
            probabilities = _policy(output.logits[0], available_actions)
            advice = None
            if teacher is not None:
                logits, teacher_state = teacher.label(
                    jax.tree.map(lambda x: x[:, None], observation),
                    first[:, None],
                    teacher_state,
                )
                advice = _policy(logits[0, 0], available_actions)
            action = int(
                probabilities.argmax()
                if greedy
                else random.choice(len(probabilities), p=probabilities)
            )
            yield video.compose_frame(
                _game(environment, observation.pixels[0]),
                student.spec.action_names,
                probabilities,
                advice,
                f"{task}   step {number}   return {total:.1f}",
                action,
                environment.instruction if student.spec.instruction_length else None,
            )
            timestep = environment.step(action)
            last_action, total = action, total + float(timestep.reward)
            if timestep.last():
                return
    finally:
        environment.close()


def _game(environment: base.SpecifiedEnvironment, pixels: np.ndarray) -> np.ndarray:
    """Returns what the student sees, beside what the environment renders if it does."""
    seen, rendered = environment.picture(pixels), environment.render()
    return seen if rendered is None else video.beside(rendered, seen)


def _policy(logits: trajectory.Array, available_actions: np.ndarray) -> np.ndarray:
    """Returns probabilities float64 [A]; 0 for what is not available."""
    masked = np.asarray(masking.mask_logits(logits, available_actions), np.float64)
    exponentials = np.exp(masked - masked.max())
    return exponentials / exponentials.sum()
