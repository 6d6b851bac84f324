"""Teachers: exported students, and any object that keeps trajectory.Teacher."""

import functools
import importlib
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config_lib
from kickstarting.environments import base
from kickstarting.teaching import cards as teacher_cards
from kickstarting.teaching import files as teacher_files

# Batches are padded to these sizes, so that nothing recompiles.
BATCH_SIZES = (1, 2, 4, 8, 16, 32)


class _Program(NamedTuple):
    """What teachers of one architecture share.

    Attributes:
      unroll: Agent.unroll, compiled once for each shape, of float16 parameters.
      expected: the parameters' shapes.
    """

    unroll: Callable[..., tuple[trajectory.AgentOutput, trajectory.CoreState]]
    expected: trajectory.Params


@functools.cache
def _program(
    spec: base.EnvironmentSpec, network: agent_config.NetworkConfig
) -> _Program:
    agent = Agent(spec, network)

    def unroll(
        params: trajectory.Params,
        observation: trajectory.Observation,
        first: trajectory.Array,
        state: trajectory.CoreState,
    ) -> tuple[trajectory.AgentOutput, trajectory.CoreState]:
        params = jax.tree.map(lambda x: x.astype(jnp.float32), params)
        return agent.unroll(params, observation, first, state)

    expected = jax.eval_shape(agent.init_params, jax.random.key(0))
    return _Program(jax.jit(unroll), expected)


class CheckpointTeacher:
    """A teacher of this project: an exported student, any architecture.

    Teachers of one architecture share one compiled program.

    Attributes:
      card: what is known of it.
      action_names: see trajectory.Teacher.
      params: nested dicts of float16 arrays, on the device.
    """

    def __init__(self, folder: str, device: jax.Device | None = None) -> None:
        """Loads weights and card.

        Args:
          folder: of the teacher.
          device: where it computes; JAX's default if None.

        Raises:
          teacher_files.TeacherError: the folder holds no sound teacher.
        """
        params, self.card = teacher_files.load_teacher(folder)
        self.action_names = self.card.action_names
        program = _program(teacher_cards.spec_of(self.card), self.card.network)
        teacher_files.check_shapes(folder, params, program.expected)
        # As they lie in the file, which is exact and half the size.
        half = jax.tree.map(lambda x: x.astype(np.float16), params)
        # Parameters that are committed to a device take the computation there.
        self.params = jax.device_put(half, device)
        self._unroll = program.unroll

    def initial_state(self, batch_size: int) -> trajectory.CoreState:
        """Returns zeros float32 [batch_size, core size] twice."""
        shape = (batch_size, self.card.network.core_size)
        return trajectory.CoreState(
            np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        )

    def label(
        self,
        observation: trajectory.Observation,
        first: np.ndarray,
        state: trajectory.CoreState,
    ) -> tuple[np.ndarray, trajectory.CoreState]:
        """See trajectory.Teacher."""
        output, state = self._answer(observation, first, state)
        return jax.tree.map(
            lambda x: np.asarray(x)[: len(first)], (output.logits, state)
        )

    def label_with_values(
        self,
        observation: trajectory.Observation,
        first: np.ndarray,
        state: trajectory.CoreState,
    ) -> tuple[np.ndarray, np.ndarray, trajectory.CoreState]:
        """Labels a slice as `label` does, and says what the network values it at.

        What the values mean, and which is of which task, its card says
        (teacher_cards.value_column).

        Returns:
          logits float32 [B, T, A], values float32 [B, T, V] and the state after the
          last step.
        """
        output, state = self._answer(observation, first, state)
        return jax.tree.map(
            lambda x: np.asarray(x)[: len(first)], (output.logits, output.value, state)
        )

    def _answer(
        self,
        observation: trajectory.Observation,
        first: np.ndarray,
        state: trajectory.CoreState,
    ) -> tuple[trajectory.AgentOutput, trajectory.CoreState]:
        """Answers on the device, [padded batch, ...]."""
        batch_size = first.shape[0]
        size = next(
            (s for s in BATCH_SIZES if s >= batch_size),
            -(-batch_size // BATCH_SIZES[-1]) * BATCH_SIZES[-1],
        )
        if size > batch_size:
            observation, first, state = jax.tree.map(
                lambda x: np.pad(x, [(0, size - batch_size)] + [(0, 0)] * (x.ndim - 1)),
                (observation, first, state),
            )
        return self._unroll(self.params, observation, first, state)


def load(name: str, device: jax.Device | None = None) -> trajectory.Teacher:
    """Makes the teacher that `name` names.

    Args:
      name: a folder with a card, or 'module:factory' where factory() gives an object
        that keeps trajectory.Teacher. A factory runs code: it comes from flags only.
      device: where a teacher with a card computes; JAX's default if None.

    Raises:
      teacher_files.TeacherError: there is no such teacher, or it is not sound.
    """
    module, separator, factory = name.partition(":")
    if not separator:
        return CheckpointTeacher(name, device)
    try:
        teacher = getattr(importlib.import_module(module), factory)()
    # Python refuses some names of modules with a TypeError or a ValueError.
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise teacher_files.TeacherError(
            f"teacher {name!r} cannot be made: {error}"
        ) from error
    for attribute in ("action_names", "initial_state", "label"):
        if not hasattr(teacher, attribute):
            raise teacher_files.TeacherError(
                f"teacher {name!r} has no {attribute}, which every teacher needs"
            )
    return teacher


def check_matches(
    name: str, teacher: trajectory.Teacher, spec: base.EnvironmentSpec
) -> None:
    """Refuses a teacher whose action set or observations are not the student's.

    Raises:
      teacher_files.TeacherError: with both named.
    """
    if tuple(teacher.action_names) != spec.action_names:
        raise teacher_files.TeacherError(
            f"teacher {name!r} has the actions {tuple(teacher.action_names)}, but the "
            f"student's environment has {spec.action_names}"
        )
    if isinstance(teacher, CheckpointTeacher):
        teacher_cards.check_matches(teacher.card, spec)


def check_config(config: config_lib.Config) -> None:
    """Refuses tasks that no teacher covers, and teachers of tasks that are not run.

    Raises:
      config_lib.ConfigError: naming the first such task.
    """
    if not config.kickstarting.teachers:
        return
    for task, _ in config.kickstarting.teachers:
        if task not in config.tasks:
            raise config_lib.ConfigError(
                f"a teacher is given for {task}, which is not among the tasks"
            )
    for task, teachers in zip(config.tasks, config.teachers_of_task, strict=True):
        if not teachers and not config.kickstarting.allow_missing:
            raise config_lib.ConfigError(
                f"no teacher covers {task}: name one, or pass --allow_missing_teachers"
            )
