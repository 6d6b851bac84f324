"""The population's controller as a node: evolves the members and ends the program."""

import functools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any

import launchpad as lp
import numpy as np
from absl import logging

from kickstarting.config import run as config_lib
from kickstarting.population import controller as population_controller
from kickstarting.population import events as population_events
from kickstarting.population import member as population_member
from kickstarting.population import members_text
from launch.monitoring import shared_view
from launch.nodes import courier_calls
from launch.processes import member_process
from launch.processes import members as members_lib

_POLL_SECONDS = 1.0
_PATIENCE_SECONDS = 2.0
# Weights are many megabytes, and are given and taken between two updates.
_TRANSFER_SECONDS = 30.0
# After which it is asked whether the other side of a transfer is still there.
_LOOK_SECONDS = 1.0


def run(config: config_lib.Config, learners: Sequence[Any]) -> None:
    """Evolves until every member has its frames; then stops the program.

    Args:
      config: of the run.
      learners: Courier clients of the members' learners.
    """
    stop = lp.stop_event()
    members = [_Member(learner, stop) for learner in learners]
    logdirs = [member.logdir for member in members_lib.configs(config)]
    hold_until_all_begin(members, logdirs, stop)
    text = members_text.MembersText(
        ", ".join(config.tasks), config.population.size, config.total_frames
    )
    controller = population_controller.PopulationController(
        config,
        members,
        population_events.PopulationEvents(config.logdir),
        text.record,
    )
    view = shared_view.of_node(text)
    if config.show:
        view.start()
    try:
        controller.run(stop)
    finally:
        if config.show:
            view.stop()
    if not stop.is_set():
        lp.stop()


class _Member:
    """A learner's client that waits only shortly for one that is away.

    Courier waits for it to come back, and the other members would wait as well.
    """

    def __init__(self, client: Any, stop: threading.Event) -> None:
        self._client = client
        self._stop = stop
        self._asked: Any = None

    def progress(self) -> population_member.Progress:
        """See MemberLearnerNode.progress.

        Raises:
          TimeoutError: no answer yet. The question stands until there is one.
        """
        patience = 0.0
        if self._asked is None:
            patience = 0.0 if self._stop.is_set() else _PATIENCE_SECONDS
            self._asked = self._client.futures.progress()
        try:
            answer = self._asked.result(timeout=patience)
        except futures.TimeoutError:
            if self._stop.is_set():
                courier_calls.give_up(self._asked)
                self._asked = None
            raise TimeoutError("no answer") from None
        except Exception:
            self._asked = None
            raise
        self._asked = None
        return answer

    def evolve(self, evolved: dict[str, float]) -> None:
        """See Learner.evolve.

        Raises:
          TimeoutError: no answer.
        """
        self._call("evolve", _PATIENCE_SECONDS, evolved)

    def weights(self) -> list[np.ndarray]:
        """See Learner.weights.

        Raises:
          TimeoutError: no answer.
        """
        return self._call("weights", _TRANSFER_SECONDS)

    def adopt(self, weights: list[np.ndarray]) -> None:
        """See Learner.adopt.

        Raises:
          TimeoutError: no answer.
        """
        self._call("adopt", _TRANSFER_SECONDS, weights)

    def pause(self, paused: bool) -> None:
        """See Learner.pause.

        Raises:
          TimeoutError: no answer.
        """
        self._call("pause", _PATIENCE_SECONDS, paused)

    def _call(self, method: str, patience: float, *arguments: Any) -> Any:
        asked = getattr(self._client.futures, method)(*arguments)
        end = time.monotonic() + patience
        while True:
            try:
                return asked.result(timeout=min(patience, _LOOK_SECONDS))
            except futures.TimeoutError:
                if time.monotonic() < end and self._is_there():
                    continue
                # What it is told when it is back must not come after newer words.
                courier_calls.give_up(asked)
                raise TimeoutError(f"no answer to {method}") from None

    def _is_there(self) -> bool:
        """Whether it answers at all: one that has died is waited for shortly."""
        try:
            self.progress()
        except TimeoutError:
            return False
        except Exception:  # noqa: BLE001 - a failure is an answer
            return True
        return True


def hold_until_all_begin(
    members: Sequence[population_member.Member],
    logdirs: Sequence[str],
    stop: threading.Event,
) -> None:
    """Returns when all members have begun to learn; holds those that have.

    The first one compiles what the others then load: in a short run it would be far
    ahead, and who copied it would have learned more than others from as many frames.
    The controller's first words let each go on, and wait for nobody who is away.

    Args:
      members: of the population.
      logdirs: of each of them.
      stop: set when the program ends: then nothing is waited for.
    """
    for member, logdir in zip(members, logdirs, strict=True):
        _ask(member.progress, logdir, stop)
        member_process.wait_for_update(logdir, stop)
        _ask(functools.partial(member.pause, True), logdir, stop)


def _ask(call: Callable[[], object], logdir: str, stop: threading.Event) -> None:
    """Calls until there is an answer, for as long as the program goes on.

    As a process a member may take longer to come up than a call may last.
    """
    while not stop.is_set():
        try:
            call()
            return
        except Exception as error:  # noqa: BLE001 - Launchpad sees to failed nodes
            logging.info("The learner of %s does not serve yet: %r", logdir, error)
            stop.wait(_POLL_SECONDS)
