"""Teachers and the server that holds them.

The server is stateless between calls: a teacher's recurrent state is handed back to the
actor and comes again with the next unroll, so that any replica gives the same answer
and a split into slices equals one long pass. Calls from many actors are batched.
"""

import importlib
import queue
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from kickstarting import config as config_lib
from kickstarting import teacher_cards, teacher_files, types
from kickstarting.agent import Agent
from kickstarting.environments import base

# Batches are padded to these sizes, so that nothing recompiles.
_BATCH_SIZES = (1, 2, 4, 8, 16, 32)
_WAIT_SECONDS = 0.2
_ANSWER_SECONDS = 60.0


class CheckpointTeacher:
    """A teacher of this project: an exported student, any architecture."""

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
        spec = base.EnvironmentSpec(
            frame_shape=self.card.frame_shape,
            instruction_length=self.card.instruction_length,
            action_names=self.action_names,
            action_repeat=self.card.action_repeat,
        )
        self.agent = Agent(spec, self.card.network)
        expected = jax.eval_shape(self.agent.init_params, jax.random.key(0))
        teacher_files.check_shapes(folder, params, expected)
        # Parameters that are committed to a device take the computation there.
        self.params = jax.device_put(params, device)
        self._unroll = jax.jit(self.agent.unroll)

    def initial_state(self, batch_size: int) -> types.CoreState:
        """Returns zeros float32 [batch_size, core size] twice."""
        return jax.tree.map(np.asarray, self.agent.initial_state(batch_size))

    def label(
        self, observation: types.Observation, first: np.ndarray, state: types.CoreState
    ) -> tuple[np.ndarray, types.CoreState]:
        """See types.Teacher."""
        batch_size = first.shape[0]
        size = next(
            (s for s in _BATCH_SIZES if s >= batch_size),
            -(-batch_size // _BATCH_SIZES[-1]) * _BATCH_SIZES[-1],
        )
        if size > batch_size:
            observation, first, state = jax.tree.map(
                lambda x: np.pad(x, [(0, size - batch_size)] + [(0, 0)] * (x.ndim - 1)),
                (observation, first, state),
            )
        output, state = self._unroll(self.params, observation, first, state)
        return jax.tree.map(
            lambda x: np.asarray(x)[:batch_size], (output.logits, state)
        )


def load(name: str, device: jax.Device | None = None) -> types.Teacher:
    """Makes the teacher that `name` names.

    Args:
      name: a folder with a card, or 'module:factory' where factory() gives an object
        that keeps types.Teacher. A factory runs code: it comes from flags only.
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
    name: str, teacher: types.Teacher, spec: base.EnvironmentSpec
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


class _Request(NamedTuple):
    teacher: int
    observation: types.Observation
    first: np.ndarray
    state: Any
    answer: "queue.SimpleQueue[Any]"


class TeacherServer:
    """Labels unrolls with the teachers of each task.

    `label` may be called from many threads; `run` does the work in one.
    """

    def __init__(
        self,
        teachers_of_task: Sequence[Sequence[str]],
        num_teachers: int,
        device: jax.Device | None = None,
    ) -> None:
        """Loads every named teacher once.

        Args:
          teachers_of_task: for each task, its teachers' names.
          num_teachers: K, the length of an answer's leading axis.
          device: where the teachers compute; JAX's default if None.

        Raises:
          teacher_files.TeacherError: a teacher cannot be loaded.
        """
        names = sorted({name for names in teachers_of_task for name in names})
        self._teachers = [load(name, device) for name in names]
        self._of_task = [[names.index(n) for n in of] for of in teachers_of_task]
        self._num_teachers = num_teachers
        self._requests: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._batches = 0
        self._unrolls = 0

    def label(
        self,
        task: int,
        pixels: np.ndarray,
        instruction: np.ndarray,
        last_action: np.ndarray,
        last_reward: np.ndarray,
        first: np.ndarray,
        state: list[list[np.ndarray]] | None,
    ) -> tuple[np.ndarray, np.ndarray, list[list[np.ndarray]]]:
        """Labels one unroll slice.

        Args:
          task: index of the unroll's task.
          pixels: uint8 [T, H, W, C].
          instruction: int32 [T, L].
          last_action: int32 [T].
          last_reward: float32 [T].
          first: bool [T].
          state: the leaves of each teacher's state, as the call for the slice before
            returned them; None for the initial states.

        Returns:
          logits float32 [K, T, A], mask float32 [K, T], and the states after the slice.
          The mask is 0, and the states are those from before, where the server ended
          first.
        """
        observation = types.Observation(pixels, instruction, last_action, last_reward)
        answers = []
        for position, index in enumerate(self._of_task[task]):
            teacher = self._teachers[index]
            structure = jax.tree.structure(teacher.initial_state(1))
            own = (
                jax.tree.map(lambda x: x[0], teacher.initial_state(1))
                if state is None
                else jax.tree.unflatten(structure, state[position])
            )
            answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
            self._requests.put(_Request(index, observation, first, own, answer))
            answers.append((answer, own))
        steps = len(first)
        actions = len(self._teachers[0].action_names)
        logits = np.zeros((self._num_teachers, steps, actions), np.float32)
        mask = np.zeros((self._num_teachers, steps), np.float32)
        states = []
        for position, (answer, next_state) in enumerate(answers):
            result = self._result(answer)
            if result is not None:
                logits[position], next_state = result
                mask[position] = 1
            states.append([np.asarray(leaf) for leaf in jax.tree.leaves(next_state)])
        return logits, mask, states

    def counters(self) -> dict[str, float]:
        """Returns totals for the telemetry."""
        return {
            "teacher_batches": float(self._batches),
            "teacher_batch_size": self._unrolls / max(self._batches, 1),
        }

    def run(self, stop: threading.Event) -> None:
        """Answers until `stop` is set.

        Args:
          stop: set when the program ends.
        """
        try:
            while not stop.is_set():
                self._answer_waiting()
        finally:
            self._ended.set()

    def _result(self, answer: "queue.SimpleQueue[Any]") -> Any:
        """Waits for an answer; None if the server ends before it comes."""
        deadline = time.monotonic() + _ANSWER_SECONDS
        # In short waits: the server's end waits for its calls, and a request that comes
        # with the stop is answered by nobody.
        while time.monotonic() < deadline:
            try:
                result = answer.get(timeout=_WAIT_SECONDS)
            except queue.Empty:
                if self._ended.is_set():
                    return None
                continue
            if isinstance(result, BaseException):
                raise result
            return result
        raise TimeoutError("the teacher gave no answer")

    def _answer_waiting(self) -> None:
        try:
            requests = [self._requests.get(timeout=_WAIT_SECONDS)]
        except queue.Empty:
            return
        while len(requests) < _BATCH_SIZES[-1]:
            try:
                requests.append(self._requests.get_nowait())
            except queue.Empty:
                break
        for teacher in sorted({request.teacher for request in requests}):
            self._answer(teacher, [r for r in requests if r.teacher == teacher])

    def _answer(self, teacher: int, requests: list[_Request]) -> None:
        try:
            observation, first, state = jax.tree.map(
                lambda *leaves: np.stack(leaves),
                *[(r.observation, r.first, r.state) for r in requests],
            )
            logits, states = self._teachers[teacher].label(observation, first, state)
        except Exception as error:  # noqa: BLE001 - the caller is told
            for request in requests:
                request.answer.put(error)
            return
        self._batches += 1
        self._unrolls += len(requests)
        for i, request in enumerate(requests):
            request.answer.put((logits[i], jax.tree.map(lambda x, i=i: x[i], states)))


class RemoteTeacher:
    """An actor's view of the teacher servers: calls by future, replicas in turn."""

    def __init__(self, clients: Sequence[Any]) -> None:
        """Takes Courier clients of the replicas."""
        self._clients = clients
        self._calls = 0

    def label(self, task: int, trajectory: types.Trajectory, teacher_state: Any) -> Any:
        """Asks about observations 0..T-1 of an unroll; see TeacherServer.label."""
        client = self._clients[self._calls % len(self._clients)]
        self._calls += 1
        observation = trajectory.observation
        return client.futures.label(
            task,
            observation.pixels[:-1],
            observation.instruction[:-1],
            observation.last_action[:-1],
            observation.last_reward[:-1],
            trajectory.first[:-1],
            teacher_state,
        )


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
