"""The teacher server: labels unrolls of many actors with many teachers.

It is stateless between calls: a teacher's recurrent state is handed back to the actor
and comes again with the next unroll, so that any replica gives the same answer and a
split into slices equals one long pass. What waits for one teacher is answered as one
batch.

A teacher that fails, or hangs, costs its own advice alone: the other teachers' answers
stand, and so does the server.
"""

import collections
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from absl import logging

from kickstarting.agent import trajectory
from kickstarting.teaching import answering, answers, teachers
from kickstarting.teaching import values as teacher_values
from kickstarting.teaching.cards import show_error

# The leaves of each teacher's state [...]; None where it opens from its initial state.
States = list[list[np.ndarray] | None]

_WAIT_SECONDS = 0.2
_ANSWER_SECONDS = 60.0
# Of a teacher that is code of others: its callers wait for as long by default.
_HANGS_SECONDS = 10.0
# Unrolls in a batch. On a CPU an unroll costs the same in a batch of 2 and of 32, but
# the memory grows with the batch (docs/measurements.md).
LARGEST_BATCH_ON_CPU = 8


class _Request(NamedTuple):
    observation: trajectory.Observation
    first: np.ndarray
    state: Any
    value_column: int | None
    answer: "queue.Queue[Any]"


class _Held(NamedTuple):
    """A teacher in memory, and the state [...] that opens its episodes."""

    teacher: trajectory.Teacher
    initial_state: Any


class TeacherServer:
    """Labels unrolls with the teachers of each task.

    `label` and `drop_unneeded` may be called from many threads; `run` does the work in
    one.
    """

    def __init__(
        self,
        teachers_of_task: Sequence[Sequence[str]],
        num_teachers: int,
        device: jax.Device | None = None,
        valued_tasks: Sequence[str] | None = None,
        hangs_seconds: float = _HANGS_SECONDS,
    ) -> None:
        """Loads every named teacher once.

        Args:
          teachers_of_task: for each task, its teachers' names.
          num_teachers: K, the length of an answer's leading axis.
          device: where the teachers compute; JAX's default if None.
          valued_tasks: the tasks' names where answers are to have values; else None.
          hangs_seconds: that a teacher that is code of others may take for a batch;
            then the other teachers' turns come, and it has none until it answers.

        Raises:
          teacher_files.TeacherError: a teacher cannot be loaded, or has no values where
            they are wanted.
        """
        names = sorted({name for names in teachers_of_task for name in names})
        loaded = [_hold(name, device) for name in names]
        self._names = names
        self._held: list[_Held | None] = [*loaded]
        self._of_task = [[names.index(n) for n in of] for of in teachers_of_task]
        self._num_teachers = num_teachers
        self._num_valued = num_teachers if valued_tasks is not None else 0
        # Which of a teacher's values is meant, for each task and each of its teachers.
        self._value_columns = [
            [teacher_values.column(names[i], loaded[i].teacher, task) for i in indices]
            for task, indices in zip(valued_tasks or (), self._of_task, strict=False)
        ]
        first = self._held[0] if self._held else None
        self._num_actions = len(first.teacher.action_names) if first else 0
        on_cpu = (device or jax.devices()[0]).platform == "cpu"
        self._largest_batch = (
            LARGEST_BATCH_ON_CPU if on_cpu else teachers.BATCH_SIZES[-1]
        )
        # Teachers that are waited for, in the order of their turns.
        self._waiting: dict[int, collections.deque[_Request]] = {}
        self._arrived = threading.Condition()
        self._ended = threading.Event()
        self._hangs_seconds = hangs_seconds
        # Of teachers that are code of others, by their index.
        self._answering: dict[int, answering.Answering] = {}
        self._stopping: Callable[[], bool] = self._ended.is_set
        self._batches = 0
        self._unrolls = 0
        # Unrolls without advice, by what was wrong and whose it was.
        self._unusable: collections.Counter[str] = collections.Counter()

    def label(
        self,
        task: int,
        wanted: np.ndarray,
        pixels: np.ndarray,
        instruction: np.ndarray,
        last_action: np.ndarray,
        last_reward: np.ndarray,
        first: np.ndarray,
        states: States | None,
    ) -> tuple[np.ndarray, np.ndarray, States, np.ndarray]:
        """Labels one unroll slice.

        Args:
          task: index of the unroll's task.
          wanted: bool [K]; the teachers of the task that are to answer.
          pixels: uint8 [T, H, W, C].
          instruction: int32 [T, L].
          last_action: int32 [T].
          last_reward: float32 [T].
          first: bool [T].
          states: of the task's teachers, as the call for the slice before returned
            them; None for the initial ones.

        Returns:
          logits float32 [K, T, A], mask float32 [K, T], the states after the slice, and
          values float32 [K, T], or [0, T] where none are wanted. The mask is 0 and the
          state None for a teacher that was not wanted, was dropped, failed, answered
          what is not finite, or did not answer because the server ended first: where it
          missed a slice, its state from before says nothing about what comes after.

        Raises:
          TimeoutError: a teacher gave no answer.
        """
        observation = trajectory.Observation(
            pixels, instruction, last_action, last_reward
        )
        asked = {}
        for position, index in enumerate(self._of_task[task]):
            held = self._held[index]
            if held is None or not wanted[position]:
                continue
            state = states[position] if states is not None else None
            own = held.initial_state
            if state is not None:
                own = jax.tree.unflatten(jax.tree.structure(own), state)
            answer: queue.Queue[Any] = queue.Queue()
            column = self._value_columns[task][position] if self._num_valued else None
            self._put(index, _Request(observation, first, own, column, answer))
            asked[position] = answer
        steps = len(first)
        logits = np.zeros((self._num_teachers, steps, self._num_actions), np.float32)
        mask = np.zeros((self._num_teachers, steps), np.float32)
        values = np.zeros((self._num_valued, steps), np.float32)
        after: States = [None] * len(self._of_task[task])
        for position, answer in asked.items():
            result = self._result(answer)
            if result is not None:
                logits[position], value, state = result
                mask[position] = 1
                if value is not None:
                    values[position] = value
                after[position] = [np.asarray(leaf) for leaf in jax.tree.leaves(state)]
        return logits, mask, after, values

    def drop_unneeded(self, lambda_is_zero_for_good: np.ndarray) -> int:
        """Frees the teachers that no task needs any more.

        Args:
          lambda_is_zero_for_good: bool [num_tasks, K], of each task's teachers.

        Returns:
          how many were freed by this call.
        """
        needed = {
            index
            for task, indices in enumerate(self._of_task)
            for position, index in enumerate(indices)
            if not lambda_is_zero_for_good[task, position]
        }
        dropped = 0
        for index, held in enumerate(self._held):
            if held is not None and index not in needed:
                self._held[index] = None
                if index in self._answering:
                    self._answering.pop(index).end()
                dropped += 1
        return dropped

    def counters(self) -> dict[str, float]:
        """Returns running totals for the telemetry."""
        return {
            "teacher_batches": float(self._batches),
            **{name: float(count) for name, count in self._unusable.items()},
        }

    def gauges(self) -> dict[str, float]:
        """Returns what is averaged over the servers for the telemetry."""
        return {
            "teacher_batch_size": self._unrolls / max(self._batches, 1),
            "teachers_held_size": float(sum(held is not None for held in self._held)),
        }

    def run(self, stop: threading.Event) -> None:
        """Answers until `stop` is set.

        Args:
          stop: set when the program ends.
        """
        self._stopping = stop.is_set
        try:
            while not stop.is_set():
                index, requests = self._take_batch()
                if requests:
                    self._answer(index, requests)
        finally:
            self._ended.set()

    def _put(self, index: int, request: _Request) -> None:
        with self._arrived:
            self._waiting.setdefault(index, collections.deque()).append(request)
            self._arrived.notify()

    def _take_batch(self) -> tuple[int, list[_Request]]:
        """Takes what waits for the teacher whose turn it is, oldest first.

        A teacher's turn comes in the order in which it was first waited for; what does
        not fit the batch waits behind the other teachers' turns.
        """
        with self._arrived:
            if not self._waiting:
                self._arrived.wait(_WAIT_SECONDS)
            if not self._waiting:
                return -1, []
            index = next(iter(self._waiting))
            waiting = self._waiting.pop(index)
            count = min(len(waiting), self._largest_batch)
            requests = [waiting.popleft() for _ in range(count)]
            if waiting:
                self._waiting[index] = waiting
            return index, requests

    def _answer(self, index: int, requests: list[_Request]) -> None:
        held = self._held[index]
        if held is None:
            for request in requests:
                request.answer.put(None)
            return
        try:
            observation, first, state = jax.tree.map(
                lambda *leaves: np.stack(leaves),
                *[(r.observation, r.first, r.state) for r in requests],
            )
            logits, values, states = self._asked(
                index, held.teacher, observation, first, state
            )
            usable = _are_usable(logits, values, requests)
        except answering.HangsError as error:
            self._tell("failed_answers", index, len(requests), str(error))
            for request in requests:
                request.answer.put(None)
            return
        except Exception as error:  # noqa: BLE001 - anybody's code
            self._tell("failed_answers", index, len(requests), show_error(error))
            for request in requests:
                request.answer.put(None)
            return
        if not usable.all():
            self._tell(
                "not_finite_answers",
                index,
                int(np.sum(~usable)),
                "answered what is not finite",
            )
        self._batches += 1
        self._unrolls += len(requests)
        for i, request in enumerate(requests):
            if not usable[i]:
                request.answer.put(None)
                continue
            value = None
            if values is not None:
                value = values[i, :, request.value_column]
            own = jax.tree.map(lambda x, i=i: x[i], states)
            request.answer.put((logits[i], value, own))

    def _asked(self, index: int, teacher: trajectory.Teacher, *slices: Any) -> Any:
        """Returns what `_ask` does; who is code of others may take only so long.

        Raises:
          answering.HangsError: it has taken longer.
        """
        if isinstance(teacher, teachers.CheckpointTeacher):
            return self._ask(teacher, *slices)
        if index not in self._answering:
            self._answering[index] = answering.Answering(f"teacher {index}")
        return self._answering[index].ask(
            lambda: self._ask(teacher, *slices), self._hangs_seconds, self._stopping
        )

    def _ask(
        self, teacher: trajectory.Teacher, *slices: Any
    ) -> tuple[np.ndarray, np.ndarray | None, Any]:
        """Returns logits, values where they are wanted, and states, [B, ...]."""
        if not self._num_valued:
            logits, states = answers.ask(teacher, *slices)
            return logits, None, states
        assert isinstance(teacher, teachers.CheckpointTeacher)
        return teacher.label_with_values(*slices)

    def _tell(self, counter: str, index: int, count: int, problem: str) -> None:
        """Counts unrolls without a teacher's advice; the first time it says so."""
        name = self._names[index]
        counter = f"{counter}/{name}"
        if counter not in self._unusable:
            logging.warning(
                "Teacher %r %s: its unrolls go on without its advice, and are counted "
                "(%s).",
                name,
                problem,
                counter,
            )
        self._unusable[counter] += count

    def _result(self, answer: "queue.Queue[Any]") -> Any:
        """Waits for an answer; None if there will be none."""
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
            return result
        raise TimeoutError("the teacher gave no answer")


def _are_usable(
    logits: np.ndarray, values: np.ndarray | None, requests: Sequence[_Request]
) -> np.ndarray:
    """Whether each answer is of policies, and of values that are wanted, bool [B]."""
    usable = answers.are_policies(logits).all(axis=-1)
    if values is not None:
        for i, request in enumerate(requests):
            usable[i] &= np.isfinite(values[i, :, request.value_column]).all()
    return usable


def _hold(name: str, device: jax.Device | None) -> _Held:
    teacher = teachers.load(name, device)
    return _Held(teacher, jax.tree.map(lambda x: x[0], teacher.initial_state(1)))
