"""The population's controller as a node: evolves the members and ends the program."""

import threading
from collections.abc import Sequence
from concurrent import futures
from typing import Any

import launchpad as lp
import numpy as np
from absl import logging

from kickstarting import config as config_lib
from kickstarting import (
    live_view,
    population_controller,
    population_events,
    population_member,
    population_status,
)

_POLL_SECONDS = 1.0
_PATIENCE_SECONDS = 2.0


def run(config: config_lib.Config, learners: Sequence[Any]) -> None:
    """Evolves until every member has its frames; then stops the program.

    Args:
      config: of the run.
      learners: Courier clients of the members' learners.
    """
    stop = lp.stop_event()
    members = [_Member(learner, stop) for learner in learners]
    _wait_for(members, stop)
    status = population_status.PopulationStatus(
        ", ".join(config.tasks), config.population.size, config.total_frames
    )
    controller = population_controller.PopulationController(
        config,
        members,
        population_events.PopulationEvents(config.logdir),
        status.record,
    )
    view = live_view.LiveView(status)
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
        """See LearnerNode.progress.

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
            raise TimeoutError("no answer") from None
        except Exception:
            self._asked = None
            raise
        self._asked = None
        return answer

    def evolve(self, evolved: dict[str, float]) -> None:
        """See Learner.evolve."""
        self._client.evolve(evolved)

    def weights(self) -> list[np.ndarray]:
        """See Learner.weights."""
        return self._client.weights()

    def adopt(self, weights: list[np.ndarray]) -> None:
        """See Learner.adopt."""
        self._client.adopt(weights)

    def pause(self, paused: bool) -> None:
        """See Learner.pause."""
        self._client.pause(paused)


def _wait_for(members: Sequence[_Member], stop: threading.Event) -> None:
    """Waits until every learner serves, for as long as the program goes on.

    As a process it may take longer to come up than a call may last.
    """
    for index, member in enumerate(members):
        while not stop.is_set():
            try:
                member.progress()
                break
            except Exception as error:  # noqa: BLE001 - Launchpad sees to failed nodes
                logging.info("Member %d does not serve yet: %r", index, error)
                stop.wait(_POLL_SECONDS)
