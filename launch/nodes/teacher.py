"""The teacher node: one replica of the teacher server as a Courier service."""

import threading
from collections.abc import Sequence
from typing import Any

import launchpad as lp
import numpy as np
from absl import logging

from kickstarting.config import run as config_lib
from kickstarting.ring import parts
from launch.computing import process_memory

_REPORT_SECONDS = 2.0


class TeacherNode:
    """Answers `label` calls; reports to the learner, which says whom it can drop."""

    def __init__(
        self, config: config_lib.Config, index: int, learners: Sequence[Any]
    ) -> None:
        """Loads the teachers.

        Args:
          config: of the run.
          index: of this replica.
          learners: Courier clients, which know λ; the first one gets the reports.
        """
        self._server = parts.make_teacher_server(config)
        self._learners = learners
        self._source = f"teacher/{index}"

    def label(self, *arguments: Any) -> Any:
        """See TeacherServer.label."""
        return self._server.label(*arguments)

    def run(self) -> None:
        """Answers until the program stops."""
        stop = lp.stop_event()
        threading.Thread(
            target=self._report, args=(stop,), name="teacher_report", daemon=True
        ).start()
        self._server.run(stop)

    def _report(self, stop: threading.Event) -> None:
        while not stop.wait(_REPORT_SECONDS):
            try:
                self._learners[0].report(
                    self._source, self._server.counters(), self._server.gauges(), None
                )
                is_zero = [each.lambda_is_zero_for_good() for each in self._learners]
                if self._server.drop_unneeded(np.all(is_zero, axis=0)):
                    process_memory.give_back_freed_memory()
            except Exception as error:  # noqa: BLE001 - counters are worth no crash
                if not stop.is_set():
                    logging.log_first_n(logging.WARNING, "No report: %r", 1, error)
