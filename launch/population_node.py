"""The population's controller as a node: evolves the members and ends the program."""

from collections.abc import Sequence
from typing import Any

import launchpad as lp

from kickstarting import config as config_lib
from kickstarting import (
    live_view,
    population_controller,
    population_events,
    population_status,
)


def run(config: config_lib.Config, learners: Sequence[Any]) -> None:
    """Evolves until every member has its frames; then stops the program.

    Args:
      config: of the run.
      learners: Courier clients of the members' learners.
    """
    stop = lp.stop_event()
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
