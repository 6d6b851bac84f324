"""Takes finished unrolls past the teachers into the queue, behind the actor's back.

One thread for each actor. It asks the teachers by a future as soon as an unroll is
finished and goes on; answers are awaited in order, with a deadline, so that the
teachers' latency hides behind the acting of the next unroll. Where every λ of a task is
0 nobody is asked, and an unroll that no teacher server can answer goes on without.
Back-pressure reaches the actor as slots that are not given back.
"""

import collections
import dataclasses
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from absl import logging

from kickstarting.acting.unroll_store import UnrollStore
from kickstarting.agent import trajectory as trajectory_lib


class LabelFuture(Protocol):
    """What `TeacherClient.label` returns."""

    def result(self, timeout: float) -> tuple[np.ndarray, np.ndarray, Any, np.ndarray]:
        """Returns logits [K, T, A], mask [K, T], the teachers' next state, and values.

        Values are [K, T], or [0, T] where the run does not learn from them.
        """

    def done(self) -> bool:
        """Whether result() would return at once."""


class TeacherClient(Protocol):
    """Asks a teacher server."""

    @property
    def resting(self) -> int:
        """How many teacher servers are not asked at the moment."""

    def label(
        self,
        task: int,
        wanted: np.ndarray,
        trajectory: trajectory_lib.Trajectory,
        teacher_state: Any,
    ) -> LabelFuture | None:
        """Asks about observations 0..T-1; None if there is nobody to ask.

        Of the task's teachers those are asked that `wanted`, bool [K], marks. A
        teacher_state of None opens from the initial one.
        """


class Writer(Protocol):
    """Where unrolls go (trajectory_queue.UnrollWriter)."""

    def write(self, trajectory: trajectory_lib.Trajectory) -> float:
        """Writes one unroll; returns the seconds that it waited for room."""

    def close(self) -> None:
        """Ends writing."""


@dataclasses.dataclass
class _Pending:
    environment: int
    slot: int
    trajectory: trajectory_lib.Trajectory
    future: LabelFuture | None
    asked: np.ndarray
    asked_at: float


class UnrollSender:
    """The thread between one actor's store and the queue.

    Attributes:
      asked: unrolls about which each teacher was asked, by its task and its position
        among the teachers of that.
      unanswered: those of them that went on without its advice.
    """

    def __init__(
        self,
        store: UnrollStore,
        writer: Writer,
        teacher: TeacherClient | None,
        answer_seconds: float,
        kickstarting_weight: Callable[[int], np.ndarray],
        stopped: type[Exception],
    ) -> None:
        """Starts nothing yet.

        Args:
          store: whose slots are sent and given back.
          writer: of the queue; used by the sender's thread alone.
          teacher: None where the run has no teachers.
          answer_seconds: from asking a teacher to going on without its answer.
          kickstarting_weight: gives λ float32 [K] of a task, now.
          stopped: what the writer raises when the program stops.
        """
        self._store = store
        self._writer = writer
        self._teacher = teacher
        self._answer_seconds = answer_seconds
        self._kickstarting_weight = kickstarting_weight
        self._stopped = stopped
        self._finished: queue.Queue[tuple[int, int] | None] = queue.Queue()
        self._pending: collections.deque[_Pending] = collections.deque()
        self._teacher_state: dict[int, Any] = {}
        self._thread = threading.Thread(
            target=self._run, name="unroll_sender", daemon=True
        )
        self.failure: BaseException | None = None
        self.seconds_for_queue = 0.0
        self.seconds_for_teacher = 0.0
        self.unrolls = 0
        self.teacher_unrolls = 0
        self.teacher_timeouts = 0
        self.unanswered_unrolls = 0
        self.asked: collections.Counter[tuple[int, int]] = collections.Counter()
        self.unanswered: collections.Counter[tuple[int, int]] = collections.Counter()

    @property
    def resting_teachers(self) -> int:
        """Teacher servers that are not asked at the moment."""
        return self._teacher.resting if self._teacher is not None else 0

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def send(self, environment: int, slot: int) -> None:
        """Takes over a full slot; it is given back when the queue has it."""
        self._store.hold(environment, slot)
        self._finished.put((environment, slot))

    def close(self, timeout: float) -> None:
        """Ends the thread; unrolls that the queue has not taken are dropped."""
        self._finished.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        try:
            while self._take_finished():
                while self._pending and self._is_due(self._pending[0]):
                    self._send_oldest()
        except self._stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - the actor raises it
            self.failure = error
        finally:
            self._writer.close()

    def _take_finished(self) -> bool:
        """Asks the teachers about newly finished unrolls; False ends the thread."""
        # With answers outstanding, look at them again soon.
        timeout = 0.002 if self._pending else 1.0
        try:
            finished = self._finished.get(timeout=timeout)
        except queue.Empty:
            return True
        if finished is None:
            return False
        environment, slot = finished
        # The teacher's state after this environment's previous unroll is needed first.
        while any(pending.environment == environment for pending in self._pending):
            self._send_oldest()
        trajectory = self._store.trajectory(environment, slot)
        self._pending.append(
            _Pending(
                environment,
                slot,
                trajectory,
                *self._ask(environment, trajectory),
                time.monotonic(),
            )
        )
        return True

    def _ask(
        self, environment: int, trajectory: trajectory_lib.Trajectory
    ) -> tuple[LabelFuture | None, np.ndarray]:
        """Returns the answer's future, and which teachers are to answer, bool [K]."""
        task = self._store.task(environment)
        wanted = self._kickstarting_weight(task) != 0
        # What a teacher does not see is missing in its state: kept only by an answer.
        state = self._teacher_state.pop(environment, None)
        if self._teacher is None or not np.any(wanted):
            return None, np.zeros_like(wanted)
        self.teacher_unrolls += 1
        return self._teacher.label(task, wanted, trajectory, state), wanted

    def _is_due(self, pending: _Pending) -> bool:
        # An actor whose slots are all held sends nothing, so the deadline is seen here.
        return (
            pending.future is None
            or pending.future.done()
            or time.monotonic() > pending.asked_at + self._answer_seconds
        )

    def _send_oldest(self) -> None:
        pending = self._pending.popleft()
        trajectory = pending.trajectory
        answered = np.zeros_like(pending.asked)
        if pending.future is not None:
            trajectory = self._with_answer(pending)
            answered = trajectory.teacher_mask.any(axis=-1)
        self._count(self._store.task(pending.environment), pending.asked, answered)
        self.seconds_for_queue += self._writer.write(trajectory)
        self.unrolls += 1
        self._store.free(pending.environment, pending.slot)

    def _count(self, task: int, asked: np.ndarray, answered: np.ndarray) -> None:
        """Counts an unroll for each teacher, bool [K], that was asked about it."""
        for position in np.flatnonzero(asked):
            self.asked[task, int(position)] += 1
            self.unanswered[task, int(position)] += int(not answered[position])
        self.unanswered_unrolls += int(asked.any() and not answered[asked].any())

    def _with_answer(self, pending: _Pending) -> trajectory_lib.Trajectory:
        assert pending.future is not None
        start = time.monotonic()
        left = max(pending.asked_at + self._answer_seconds - start, 0.001)
        try:
            logits, mask, state, values = pending.future.result(timeout=left)
        except Exception as error:  # noqa: BLE001 - any failure costs only this answer
            # The unroll goes on without a teacher. Its state is unknown from here on,
            # so the next unroll opens from the initial one.
            self.teacher_timeouts += 1
            logging.log_first_n(logging.WARNING, "No teacher's answer: %r", 3, error)
            return pending.trajectory
        finally:
            self.seconds_for_teacher += time.monotonic() - start
        self._teacher_state[pending.environment] = state
        return pending.trajectory._replace(
            teacher_logits=logits, teacher_mask=mask, teacher_values=values
        )
