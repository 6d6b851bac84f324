"""The population's controller as a node: evolves the members and ends the program."""

import threading
from collections.abc import Sequence
from typing import Any

import launchpad as lp
from absl import logging

from kickstarting import config as config_lib
from kickstarting import (
    live_view,
    population_controller,
    population_events,
    population_status,
)

_POLL_SECONDS = 1.0


def run(config: config_lib.Config, learners: Sequence[Any]) -> None:
    """Evolves until every member has its frames; then stops the program.

    Args:
      config: of the run.
      learners: Courier clients of the members' learners.
    """
    stop = lp.stop_event()
    _wait_for(learners, stop)
    status = population_status.PopulationStatus(
        ", ".join(config.tasks), config.population.size, config.total_frames
    )
    controller = population_controller.PopulationController(
        config,
        learners,
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


def _wait_for(learners: Sequence[Any], stop: threading.Event) -> None:
    """Waits until every learner serves, for as long as the program goes on.

    As a process it may take longer to come up than a call may last.
    """
    for index, learner in enumerate(learners):
        while not stop.is_set():
            try:
                learner.progress()
                break
            except Exception as error:  # noqa: BLE001 - Launchpad sees to failed nodes
                logging.info("Member %d does not serve yet: %r", index, error)
                stop.wait(_POLL_SECONDS)
