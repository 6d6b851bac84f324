"""Tells once a second how full the queue is, and who was last heard of when."""

import threading
from collections.abc import Callable
from typing import Any

from absl import logging

from kickstarting.config import run as config_lib
from kickstarting.reporting import telemetry as telemetry_lib
from launch.computing import devices
from launch.monitoring import node_reports

_PERIOD_SECONDS = 1.0


class NodeReporter:
    """Tells the telemetry, and the run's folder, from a thread of its own."""

    def __init__(
        self,
        config: config_lib.Config,
        queue: Any,
        telemetry: Callable[[], telemetry_lib.Telemetry],
        stop: threading.Event,
    ) -> None:
        """Tells nothing yet.

        Args:
          config: of the run, or of a population's member.
          queue: Reverb client.
          telemetry: gives the newest learner's.
          stop: set when the program ends, and with it this.
        """
        self._config = config
        self._queue = queue
        self._telemetry = telemetry
        self._devices = devices.local()
        logging.info("Learns on %s", devices.text(self._devices))
        self._stop = stop
        self._thread = threading.Thread(
            target=self._run, name="node_reports", daemon=True
        )

    def start(self) -> None:
        """Begins to tell."""
        self._thread.start()

    def tell_the_end(self) -> None:
        """Tells the run's folder, after a stop, that the learner has ended."""
        # It may be about to write once more.
        self._thread.join(_PERIOD_SECONDS)
        self._write(has_ended=True)

    def _run(self) -> None:
        # Loads Reverb, which launchers do without.
        from kickstarting.queue import reverb_queue

        while not self._stop.wait(_PERIOD_SECONDS):
            self._write(has_ended=False)
            try:
                size = float(reverb_queue.size(self._queue))
            except Exception as error:  # noqa: BLE001 - a figure is worth no crash
                if not self._stop.is_set():
                    logging.log_first_n(logging.WARNING, "No queue size: %r", 1, error)
                continue
            capacity = float(self._config.resolved_queue_size)
            self._telemetry().report(
                "queue/0",
                counters={},
                gauges={"queue_size": size, "queue_capacity": capacity},
            )

    def _write(self, has_ended: bool) -> None:
        telemetry = self._telemetry()
        node_reports.write(
            self._config.logdir,
            telemetry.silence(),
            has_ended,
            self._devices,
            node_reports.TRAINING if telemetry.has_updates else node_reports.COMPILING,
        )
