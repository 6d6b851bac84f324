"""What a teacher's answer must be to be advice.

A teacher is anybody's code: it may raise, answer about other actions than it was asked
about, or answer what is no number. None of it may reach a student.
"""

from typing import Any

import jax
import numpy as np

from kickstarting.agent import trajectory
from kickstarting.teaching.cards import TeacherError, require, show_error


def ask(
    teacher: trajectory.Teacher,
    observation: trajectory.Observation,
    first: np.ndarray,
    state: Any,
) -> tuple[np.ndarray, Any]:
    """Asks a teacher; see trajectory.Teacher.

    Returns:
      logits float32 [B, T, A], which may be anything but of that shape, and the state
      after step T - 1.

    Raises:
      TeacherError: it raised, or its answer has another shape; the message goes on
        after the teacher's name.
    """
    try:
        logits, after = teacher.label(observation, first, state)
    except Exception as error:
        raise TeacherError(
            f"raised {type(error).__name__} ({show_error(error)})"
        ) from error
    return checked(logits, after, state, (*first.shape, len(teacher.action_names)))


def checked(
    logits: Any, after: Any, before: Any, shape: tuple[int, ...]
) -> tuple[np.ndarray, Any]:
    """Returns an answer whose shapes are those that were asked for.

    Args:
      logits: as the teacher gave them.
      after: its state, likewise.
      before: its state as it was given it.
      shape: B, T and A.

    Returns:
      logits float32 [B, T, A] and `after`.

    Raises:
      TeacherError: see `ask`.
    """
    try:
        logits = np.asarray(logits, np.float32)
    except (TypeError, ValueError) as error:
        raise TeacherError(
            f"answered {type(logits).__name__}, which is no array of logits"
        ) from error
    require(
        logits.shape == shape,
        f"answered logits of shape {logits.shape}, not {shape} (unrolls, steps, "
        "actions)",
    )
    had, has = (
        [np.shape(leaf) for leaf in jax.tree.leaves(state)] for state in (before, after)
    )
    require(
        had == has, f"answered a state of the shapes {has}, where it was given {had}"
    )
    return logits, after


def are_policies(logits: np.ndarray) -> np.ndarray:
    """Whether logits are those of a policy: −inf is a probability of 0.

    Args:
      logits: float32 [..., A].

    Returns:
      bool [...]; False where one is NaN or +inf, or all of them are −inf.
    """
    return np.isfinite(logits.max(axis=-1))
