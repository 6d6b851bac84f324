"""Asks a teacher once before training: one that cannot answer ends no run later on."""

import threading
from collections.abc import Callable

import jax
import numpy as np

from kickstarting.agent import trajectory
from kickstarting.environments import base
from kickstarting.teaching import answers
from kickstarting.teaching.cards import TeacherError

# It may have much to load or to compile.
_ANSWER_SECONDS = 300.0
_UNROLLS = 2


def check(
    name: str,
    teacher: trajectory.Teacher,
    spec: base.EnvironmentSpec,
    unroll_length: int,
    real_observation: Callable[[], trajectory.Observation],
) -> None:
    """Asks about unrolls of zeros, and where it fails there about what a task shows.

    An environment takes seconds to make; but who looks for itself in a frame may fail
    at an empty one alone.

    Args:
      name: the teacher's.
      teacher: as loaded; its action set is the student's.
      spec: of the student's environments.
      unroll_length: T.
      real_observation: gives one observation of the teacher's task, arrays [...].

    Raises:
      TeacherError: it raised, gave an answer of another shape or one that is not
        finite, or none at all.
    """
    zeros = trajectory.Observation(
        np.zeros(spec.frame_shape, np.uint8),
        np.zeros(spec.instruction_length, np.int32),
        np.zeros((), np.int32),
        np.zeros((), np.float32),
    )
    if _problem(teacher, zeros, unroll_length):
        problem = _problem(teacher, real_observation(), unroll_length)
        if problem:
            raise TeacherError(
                f"teacher {name!r} {problem} when it was asked about the first "
                "observation of its task: mend it, or choose another one"
            )


def _problem(
    teacher: trajectory.Teacher, shown: trajectory.Observation, unroll_length: int
) -> str:
    """Returns what is wrong with the answer, '' for nothing."""
    problems: list[str] = []
    # A thread, for nobody may wait for ever.
    thread = threading.Thread(
        target=lambda: problems.append(_ask(teacher, shown, unroll_length)),
        name="first_question",
        daemon=True,
    )
    thread.start()
    thread.join(_ANSWER_SECONDS)
    return (
        problems[0] if problems else f"gave no answer in {_ANSWER_SECONDS:.0f} seconds"
    )


def _ask(
    teacher: trajectory.Teacher, shown: trajectory.Observation, unroll_length: int
) -> str:
    shape = (_UNROLLS, unroll_length)
    observation = jax.tree.map(
        lambda x: np.array(np.broadcast_to(x, (*shape, *x.shape))), shown
    )
    first = np.zeros(shape, bool)
    first[:, 0] = True
    try:
        state = teacher.initial_state(_UNROLLS)
    except Exception as error:  # noqa: BLE001 - anybody's code
        return f"has no initial state ({error!r})"
    try:
        logits, _ = answers.ask(teacher, observation, first, state)
    except TeacherError as error:
        return str(error)
    if not answers.are_policies(logits).all():
        return "answered logits that are not finite"
    return ""
