"""The actor node: builds one actor from the config and runs it."""

import itertools
import threading
from collections.abc import Sequence
from concurrent import futures
from typing import Any

import launchpad as lp
from absl import logging

from kickstarting.acting import unroll_sender
from kickstarting.agent import trajectory as trajectory_lib
from kickstarting.config import run as config_lib
from kickstarting.environments import base
from kickstarting.ring import parts
from kickstarting.teaching import replicas
from launch.nodes import courier_calls, identity
from launch.processes import keeper, revival

_STOP_CHECK_SECONDS = 0.2
# Between calls to a learner that does not answer.
_RETRY_SECONDS = 0.5
# Of each environment: who fails before will fail so again.
_UNROLLS_OF_PROGRESS = 10


class _Learner:
    """The learner's client; a call is given up when the program stops.

    The learner may then be gone, and Courier would wait for it to come back. While the
    program goes on another learner takes the place of one that is gone.
    """

    def __init__(self, client: Any, stop: threading.Event) -> None:
        self._client = client
        self._stop = stop
        self._has_answered = False

    def parameters(self, held: int) -> Any:
        """See Learner.parameters; None also where there is no answer.

        Raises:
          identity.AnotherRunError: the answer is of another run's learner.
        """
        future = self._client.futures.parameters(held)
        while not self._stop.is_set():
            try:
                answer = future.result(timeout=_STOP_CHECK_SECONDS)
                self._has_answered = True
                return answer
            except futures.TimeoutError:
                continue
            except Exception as error:  # noqa: BLE001 - its own node tells of a failure
                identity.check(error)
                if not self._stop.wait(_RETRY_SECONDS):
                    self._tell(error)
                return None
        courier_calls.give_up(future)
        return None

    def _tell(self, error: Exception) -> None:
        if self._has_answered:
            logging.warning("The learner does not answer: %r", error)
        else:
            logging.info("Waits for the learner, which starts or compiles: %r", error)

    def report(
        self,
        source: str,
        counters: dict[str, float],
        gauges: dict[str, float],
        episodes: Any,
        doing: str,
    ) -> None:
        """See Learner.report."""
        self._client.report(source, counters, gauges, episodes, doing)


class _CountingWriter:
    """The queue's writer, which counts what the queue has taken."""

    def __init__(self, writer: unroll_sender.Writer, taken: list[int]) -> None:
        self._writer = writer
        self._taken = taken

    def write(self, trajectory: trajectory_lib.Trajectory) -> float:
        """See reverb_queue.UnrollWriter.write."""
        seconds = self._writer.write(trajectory)
        self._taken[0] += 1
        return seconds

    def close(self) -> None:
        """See reverb_queue.UnrollWriter.close."""
        self._writer.close()


def run(
    config: config_lib.Config,
    index: int,
    resumed_frames: int,
    learner: Any,
    queue: Any,
    teacher_servers: Sequence[Any],
) -> None:
    """Acts until the program stops, and again when acting fails.

    Args:
      config: of the run.
      index: of this actor.
      resumed_frames: frames of the checkpoint that the run goes on from, else 0.
      learner: Courier client.
      queue: Reverb client.
      teacher_servers: Courier clients, one a replica; empty without teachers.
    """
    # Loads Reverb, which launchers do without.
    from kickstarting.queue import reverb_queue

    stop = lp.stop_event()
    # Added to the seed: another life must not see the same episodes again.
    lives = itertools.count(resumed_frames + keeper.predecessors())
    taken = [0]

    def act() -> None:
        parts.make_actor(
            config,
            index,
            next(lives),
            _Learner(learner, stop),
            _CountingWriter(reverb_queue.UnrollWriter(queue, stop.is_set), taken),
            replicas.RemoteTeacher(teacher_servers) if teacher_servers else None,
        ).run(stop)

    if revival.is_wanted(config):
        hopeless = (base.EnvironmentConfigError, identity.AnotherRunError)
        revival.keep_going(
            config.logdir,
            f"actor/{index}",
            act,
            stop,
            hopeless,
            lambda: taken[0],
            _UNROLLS_OF_PROGRESS * config.environments_per_actor,
        )
    else:
        act()
