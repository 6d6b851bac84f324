"""An actor's view of the teacher servers: replicas in turn, the broken ones left out.

A replica whose call fails or times out rests (a circuit breaker: Nygard, Release It!,
2007). Then nobody waits for it: its other calls are given up, the replicas that are
well take over, and where there are none an unroll goes on without advice. After its
rest it is probed beside the unrolls, and asked again once it has answered.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kickstarting.agent import trajectory as trajectory_lib

# The first rest; each failure before the next good answer doubles it, up to a longest.
_REST_SECONDS = 1.0
_LONGEST_REST_SECONDS = 30.0


class ReplicaRests(Exception):
    """The answer is not waited for: another call to its replica has failed."""


class RemoteTeacher:
    """Asks the replicas of the teacher server; for the calls of one thread."""

    def __init__(
        self,
        clients: Sequence[Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Takes the replicas for well.

        Args:
          clients: Courier clients of the replicas, whose calls fail by themselves
            after a deadline.
          clock: returns seconds.
        """
        self._replicas = [_Replica(client, clock) for client in clients]
        self._calls = 0

    @property
    def resting(self) -> int:
        """How many replicas are not asked at the moment."""
        return sum(replica.rests for replica in self._replicas)

    def label(
        self,
        task: int,
        wanted: np.ndarray,
        trajectory: trajectory_lib.Trajectory,
        teacher_state: Any,
    ) -> "Answer | None":
        """Asks about observations 0..T-1 of an unroll.

        Args:
          task: index of the unroll's task.
          wanted: bool [K], the teachers that are to answer.
          trajectory: the unroll.
          teacher_state: as the answer about the environment's unroll before had it;
            None for the initial one.

        Returns:
          a future of what TeacherServer.label returns; None if all replicas rest.
        """
        observation = trajectory.observation
        arguments = (
            task,
            wanted,
            observation.pixels[:-1],
            observation.instruction[:-1],
            observation.last_action[:-1],
            observation.last_reward[:-1],
            trajectory.first[:-1],
            teacher_state,
        )
        for replica in self._replicas:
            replica.probe(arguments)
        well = [replica for replica in self._replicas if not replica.rests]
        if not well:
            return None
        self._calls += 1
        return well[self._calls % len(well)].ask(arguments)


class _Replica:
    """One replica, as well or as ill as its calls went."""

    def __init__(self, client: Any, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._rest_seconds = _REST_SECONDS
        self._rests_until = 0.0
        self._probe: Any = None
        self.rests = False

    def ask(self, arguments: tuple[Any, ...]) -> "Answer":
        return Answer(self, self._client.futures.label(*arguments))

    def succeed(self) -> None:
        """Forgets the failures before."""
        self._rest_seconds = _REST_SECONDS

    def fail(self) -> None:
        """Begins a rest; one that goes on already goes on."""
        if not self.rests:
            self._rest()

    def probe(self, arguments: tuple[Any, ...]) -> None:
        """Ends a rest by a call that nobody waits for."""
        if not self.rests:
            return
        if self._probe is None:
            if self._clock() >= self._rests_until:
                self._probe = self._client.futures.label(*arguments)
        elif self._probe.done():
            failed = self._probe.exception() is not None
            self._probe, self.rests = None, False
            if failed:
                self._rest()

    def _rest(self) -> None:
        self.rests = True
        self._rests_until = self._clock() + self._rest_seconds
        self._rest_seconds = min(2 * self._rest_seconds, _LONGEST_REST_SECONDS)


class Answer:
    """The future of an answer; see unroll_sender.LabelFuture."""

    def __init__(self, replica: _Replica, future: Any) -> None:
        """Takes the future of a call to the replica."""
        self._replica = replica
        self._future = future

    def done(self) -> bool:
        """Whether there is an answer, or none is to be waited for."""
        return self._future.done() or self._replica.rests

    def result(self, timeout: float) -> Any:
        """Returns the answer.

        Args:
          timeout: seconds.

        Raises:
          ReplicaRests: the replica has failed meanwhile.
          Exception: the call failed, or there was no answer in time. The replica rests.
        """
        if self._replica.rests and not self._future.done():
            raise ReplicaRests("a call to the same teacher server has failed")
        try:
            answer = self._future.result(timeout=timeout)
        except Exception:
            self._replica.fail()
            raise
        self._replica.succeed()
        return answer
