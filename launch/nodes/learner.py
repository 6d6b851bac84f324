"""The learner node of a single run: a Courier service that trains."""

from typing import Any

import launchpad as lp
import numpy as np

from kickstarting.config import run as config_lib
from kickstarting.learning import skipped_updates, standstill
from kickstarting.reporting import telemetry_text
from kickstarting.storage import checkpoints as checkpoints_lib
from launch.monitoring import metrics_server, shared_view
from launch.nodes import learner_lives, node_reporter


class LearnerNode:
    """Trains, serves actors and teachers meanwhile, and then stops the program."""

    def __init__(
        self, config: config_lib.Config, teacher_returns: np.ndarray, queue: Any
    ) -> None:
        """Takes the run's folder. The learner is made once the node is served.

        Who calls before there is a server tries again only after a second or more.

        Args:
          config: of the run.
          teacher_returns: float32 [num_tasks, K], TeacherReturns.assured().
          queue: Reverb client.
        """
        self._config = config
        self._stop = lp.stop_event()
        self._lives = learner_lives.LearnerLives(
            config, teacher_returns, queue, self._stop
        )
        self._reporter = node_reporter.NodeReporter(
            config, queue, lambda: self._lives.telemetry, self._stop
        )

    def parameters(self, held: int) -> Any:
        """See Learner.parameters; None also while a learner is made."""
        lives = self._lives
        return None if lives.is_between else lives.learner.parameters(held)

    def lambda_is_zero_for_good(self) -> np.ndarray:
        """See Learner.lambda_is_zero_for_good."""
        return self._lives.newest().lambda_is_zero_for_good()

    def report(
        self,
        source: str,
        counters: dict[str, float],
        gauges: dict[str, float],
        episodes: Any,
        doing: str = "",
    ) -> None:
        """See Learner.report."""
        self._lives.newest().report(source, counters, gauges, episodes, doing)

    def run(self) -> None:
        """Trains until total_frames, and stops the program; or until it is stopped.

        Raises:
          Exception: see LearnerLives.learn. The program is not stopped then: Launchpad
            tells only of failures that come before the stop.
        """
        # What leads to a loss that is not finite would lead there again, and where the
        # last checkpoint finds no room there is no more for another one.
        self._train(
            hopeless=(
                skipped_updates.LossError,
                checkpoints_lib.CheckpointError,
                standstill.StandstillError,
            )
        )
        if self._stop.is_set():
            self._reporter.tell_the_end()
        else:
            lp.stop()

    def _train(self, hopeless: tuple[type[Exception], ...]) -> None:
        """Trains in the sight of whoever looks on."""
        self._lives.begin()
        self._reporter.start()
        view = shared_view.of_node(
            telemetry_text.TelemetryText(
                lambda: self._lives.telemetry,
                ", ".join(self._config.tasks),
                "its evaluation comes next" if self._config.evaluation_episodes else "",
            )
        )
        if self._config.show:
            view.start()
        if self._config.metrics_port:
            metrics_server.MetricsServer(
                self._config.metrics_port,
                lambda: self._lives.telemetry.row(),
                lambda: self._lives.telemetry.silence(),
            )
        try:
            self._lives.learn(hopeless)
        finally:
            if self._config.show:
                view.stop()
            self._lives.close()
