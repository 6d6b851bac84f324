"""The parent's side: a batch of environments, each in a worker process.

A step costs the parent one byte sent and one received for each environment; actions,
results and observations go through shared memory.
"""

import contextlib
import dataclasses
import os
import select
import time
from collections.abc import Sequence

import numpy as np
from absl import logging

from kickstarting.environments import base, notices
from kickstarting.environments.stepping import forks, shared_memory, worker_process

DEFAULT_FACTORY = "kickstarting.environments.suites:make_environment"

# Deaths in a row before a first observation after which a worker is not replaced.
MAX_FAILED_STARTS = 5

# Deaths in a row, of a batch's workers together, without the end of one episode, after
# which none is replaced any more; and at least so many for each environment. What dies
# in each episode would otherwise be replaced for ever.
MAX_DEATHS_WITHOUT_AN_END = 10
_DEATHS_OF_EACH = 3

# Silence of an environment of which a person is told. Maps of DeepMind Lab are compiled
# within a reset, for a minute.
_SECONDS_TO_TELLING = 120.0


class WorkerBatch:
    """A batch.EnvironmentBatch over worker processes; see there for the contract.

    A worker that dies or hangs is killed with all that it started and is replaced by
    one with another seed, whose first observation goes where the lost one was asked
    for. None outlives the process that made the batch.

    Attributes:
      hung_after_seconds: from asking for a result to giving a worker up.
    """

    def __init__(
        self,
        settings: Sequence[base.TaskSettings],
        spec: base.EnvironmentSpec,
        num_slots: int,
        unroll_length: int,
        factory: str = DEFAULT_FACTORY,
        preloaded: Sequence[str] = (),
    ) -> None:
        """Reserves the memory; `start` starts the processes.

        Args:
          settings: one for each environment.
          spec: what all of them share.
          num_slots: S, unrolls in flight of each environment.
          unroll_length: T.
          factory: 'module:function' that each worker calls with its settings to make a
            base.SpecifiedEnvironment.
          preloaded: modules that the workers share, imported once for all of them; none
            that starts a thread.
        """
        self.spec = spec
        self.num_environments = len(settings)
        self._settings = tuple(settings)
        self._factory = factory
        self.hung_after_seconds = max(each.deadline_seconds for each in settings)
        self._layout = shared_memory.Layout(
            num_environments=self.num_environments,
            num_slots=num_slots,
            unroll_length=unroll_length,
            frame_shape=spec.frame_shape,
            instruction_length=spec.instruction_length,
            num_actions=spec.num_actions,
        )
        self._descriptor = shared_memory.create(self._layout)
        self._memory = shared_memory.SharedMemory(self._layout, self._descriptor)
        self.pixels = self._memory.pixels
        self.instruction = self._memory.instruction
        self.available_actions = self._memory.available_actions
        self.reward = self._memory.reward
        self.discount = self._memory.discount
        self.first = self._memory.first
        self.ended = self._memory.ended
        self.episode_return = self._memory.episode_return
        self.episode_steps = self._memory.episode_steps
        self.restarted = np.zeros(self.num_environments, np.bool_)
        self._lost = np.zeros(self.num_environments, np.bool_)
        self._awaited = np.zeros(self.num_environments, np.bool_)
        self._asked_at = np.zeros(self.num_environments, np.float64)
        self._told_of = np.zeros(self.num_environments, np.bool_)
        self._failed_starts = np.zeros(self.num_environments, np.int64)
        self._deaths_without_an_end = 0
        self._launches = np.zeros(self.num_environments, np.int64)
        # What a worker said before it died.
        self._reasons: dict[int, str] = {}
        self._restarts = 0
        self._forks = forks.Forks(self._descriptor, preloaded)
        self._workers: dict[int, forks.Fork] = {}
        self._index_of: dict[int, int] = {}
        self._epoll = select.epoll()
        self._closed = False

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The ids of workers that have begun, in the order of the environments."""
        workers = (worker for _, worker in sorted(self._workers.items()))
        return tuple(each.process_id for each in workers if each.process_id)

    def start(self) -> None:
        """Starts every worker; each resets its environment first."""
        self._awaited[:] = True
        for index in range(self.num_environments):
            self._launch(index)

    def wait(self, timeout: float) -> np.ndarray:
        """Returns the environments that have become ready, int32 [n], ascending.

        Raises:
          base.EnvironmentConfigError: a worker cannot make its environment, or workers
            die again and again and play no episode to its end.
        """
        self._look_after_silent()
        deadline = time.monotonic() + timeout
        ready: list[int] = []
        while not ready and not self._closed:
            events = self._epoll.poll(max(deadline - time.monotonic(), 0))
            if not events:
                break
            ready = [
                index
                for index in (self._index_of[descriptor] for descriptor, _ in events)
                if self._is_ready(index)
            ]
        indices = np.array(sorted(ready), np.int32)
        self.restarted[indices] = self._lost[indices]
        self._lost[indices] = False
        self._awaited[indices] = self._told_of[indices] = False
        self._failed_starts[indices] = 0
        if self.ended[indices].any():
            self._deaths_without_an_end = 0
        return indices

    def step(
        self,
        indices: np.ndarray,
        actions: np.ndarray,
        slots: np.ndarray,
        positions: np.ndarray,
    ) -> None:
        """Sends actions to ready environments and returns without waiting."""
        self._memory.action[indices] = actions
        self._memory.slot[indices] = slots
        self._memory.position[indices] = positions
        self._awaited[indices] = True
        self._asked_at[indices] = time.monotonic()
        for index in indices.tolist():
            if index not in self._workers:
                # It died while nothing was asked of it.
                self._replace(index)
                continue
            # A dead worker's socket is broken; `wait` sees it and replaces the worker.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._workers[index].connection.send(worker_process.STEP)

    def counters(self) -> dict[str, float]:
        """Returns {'worker_restarts': workers that were lost and replaced}."""
        return {"worker_restarts": float(self._restarts)}

    def close(self) -> None:
        """Ends every worker with all that it started; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        for worker in self._workers.values():
            worker.connection.close()
        self._forks.close()
        self._workers.clear()
        self._epoll.close()
        os.close(self._descriptor)

    def _launch(self, index: int) -> None:
        settings = self._settings[index]
        launch = int(self._launches[index])
        self._launches[index] += 1
        if launch:
            # The old seed would play the old episodes again, and its crash.
            sequence = np.random.SeedSequence([settings.seed, launch])
            seed = int(sequence.generate_state(1)[0] >> 1)
            settings = dataclasses.replace(settings, seed=seed)
        order = worker_process.Order(
            settings=settings, factory=self._factory, layout=self._layout, index=index
        )
        worker = self._forks.start(order.to_json())
        self._workers[index] = worker
        self._index_of[worker.connection.fileno()] = index
        self._asked_at[index] = time.monotonic()
        self._told_of[index] = False
        self._epoll.register(worker.connection, select.EPOLLIN)

    def _is_ready(self, index: int) -> bool:
        worker = self._workers[index]
        try:
            message = worker.connection.recv(worker_process.MAX_MESSAGE_BYTES)
        except ConnectionResetError:
            message = b""
        except BlockingIOError:
            return False
        if message == worker_process.READY:
            return True
        if message.startswith(worker_process.BEGUN):
            self._forks.has_begun(worker, *map(int, message[1:].split()))
            return False
        if message:
            reason = message[1:].decode(errors="replace")
            if message.startswith(worker_process.FAILED):
                raise base.EnvironmentConfigError(reason)
            if message.startswith(worker_process.NOTICE):
                notices.tell(reason)
                return False
            self._reasons[index] = reason
            return False
        self._bury(index)
        if self._awaited[index]:
            self._replace(index)
        return False

    def _look_after_silent(self) -> None:
        """Tells of environments that take long; replaces those that take too long."""
        silence = np.where(self._awaited, time.monotonic() - self._asked_at, 0.0)
        untold = np.flatnonzero((silence > _SECONDS_TO_TELLING) & ~self._told_of)
        if len(untold):
            self._told_of[untold] = True
            logging.warning(
                "Nothing for %.0f seconds from environments %s (%s); each is replaced "
                "after %g seconds, its environment_deadline",
                silence[untold].max(),
                ", ".join(map(str, untold)),
                ", ".join(dict.fromkeys(self._settings[i].task for i in untold)),
                self.hung_after_seconds,
            )
        # One that is not here has just been lost, and is replaced by `step`.
        hung = np.flatnonzero(silence > self.hung_after_seconds).tolist()
        hung = [index for index in hung if index in self._workers]
        for index in hung:
            self._reasons[index] = (
                f"no answer within {self.hung_after_seconds:g} seconds (raise "
                "environment_deadline, if it needs more)"
            )
            self._bury(index, hangs=True)
        for index in hung:
            self._replace(index)

    def _bury(self, index: int, hangs: bool = False) -> None:
        worker = self._workers.pop(index)
        self._epoll.unregister(worker.connection)
        del self._index_of[worker.connection.fileno()]
        self._forks.end(worker, hangs)
        self._lost[index] = True
        self._restarts += 1

    def _replace(self, index: int) -> None:
        task = self._settings[index].task
        reason = self._reasons.pop(index, "its standard error may say why")
        self._failed_starts[index] += 1
        if self._failed_starts[index] >= MAX_FAILED_STARTS:
            raise base.EnvironmentConfigError(
                f"the worker of environment {index} ({task}) died {MAX_FAILED_STARTS} "
                f"times before its first observation: {reason}"
            )
        self._deaths_without_an_end += 1
        most = max(MAX_DEATHS_WITHOUT_AN_END, _DEATHS_OF_EACH * self.num_environments)
        if self._deaths_without_an_end >= most:
            raise base.EnvironmentConfigError(
                f"workers of environments died {most} times, and no episode came to an "
                f"end meanwhile; the last one's task was {task}: {reason}"
            )
        logging.warning(
            "The worker of environment %d (%s) died and is replaced: %s",
            index,
            task,
            reason,
        )
        self._launch(index)
