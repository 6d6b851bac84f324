"""The learner node: a Courier service that trains and then stops the program."""

import threading
from typing import Any

import launchpad as lp
import numpy as np
from absl import logging

from kickstarting import checkpoints as checkpoints_lib
from kickstarting import config as config_lib
from kickstarting import (
    initialisation,
    learner,
    live_view,
    population_controller,
    run_files,
    run_status,
    telemetry,
    trajectory_example,
    trajectory_queue,
    update,
)
from kickstarting.agent import Agent
from kickstarting.environments import suites
from launch import run_folder

_REPORT_SECONDS = 1.0


class LearnerNode:
    """Trains; serves actors and teachers, and a population's controller."""

    def __init__(
        self, config: config_lib.Config, teacher_returns: np.ndarray, queue: Any
    ) -> None:
        """Restores or begins the run.

        Args:
          config: of the run.
          teacher_returns: float32 [num_tasks, K], TeacherReturns.assured().
          queue: Reverb client.
        """
        self._stop = lp.stop_event()
        self._config = config
        spec = suites.environment_spec(
            config.tasks[0], config.action_repeat, config.lab.action_set
        )
        references = [suites.reference_score(task) for task in config.tasks]
        self._telemetry = telemetry.Telemetry(
            config.tasks,
            references,
            config.total_frames,
            score_window_frames=config.resolved_score_window_frames,
        )
        self._queue = queue
        self._run_files = run_files.RunFiles(config.logdir)
        example = trajectory_example.example(config, spec)
        agent = Agent(spec, config.network)
        self._learner = learner.Learner(
            config,
            update.shared(agent, config),
            lambda: trajectory_queue.batches(
                queue, example, config.batch_size, self._stop.is_set
            ),
            checkpoints_lib.Checkpoints(
                run_folder.checkpoints(config.logdir), config.checkpoint.keep
            ),
            run_folder.metadata(config, spec),
            self._telemetry,
            self._run_files,
            teacher_returns,
            np.array([r.random if r else 0.0 for r in references], np.float32),
            initialisation.initial_params(config, agent),
        )

    def parameters(self, newer_than: int) -> Any:
        """See Learner.parameters."""
        return self._learner.parameters(newer_than)

    def ended_teachers(self) -> np.ndarray:
        """See Learner.ended_teachers."""
        return self._learner.ended_teachers()

    def report(self, source: str, counters: dict[str, float], episodes: Any) -> None:
        """See Learner.report."""
        self._learner.report(source, counters, episodes)

    def progress(self) -> population_controller.Progress:
        """Returns how far this member of a population is."""
        return population_controller.Progress(
            self._learner.frames, self._learner.fitness()
        )

    def evolve(self, evolved: dict[str, float]) -> None:
        """See Learner.evolve."""
        self._learner.evolve(evolved)

    def weights(self) -> list[np.ndarray]:
        """See Learner.weights."""
        return self._learner.weights()

    def adopt(self, weights: list[np.ndarray]) -> None:
        """See Learner.adopt."""
        self._learner.adopt(weights)

    def pause(self, paused: bool) -> None:
        """See Learner.pause."""
        self._learner.pause(paused)

    def run(self) -> None:
        """Trains until total_frames or a stop signal; then stops the program.

        A member of a population does not: its weights may still be copied.
        """
        threading.Thread(
            target=self._report_queue, name="queue_report", daemon=True
        ).start()
        view = live_view.LiveView(
            run_status.RunStatus(self._telemetry, ", ".join(self._config.tasks))
        )
        if self._config.show:
            view.start()
        try:
            self._learner.run(self._stop)
        finally:
            if self._config.show:
                view.stop()
            self._run_files.close()
        if self._config.population.size > 1:
            self._stop.wait()
        # Not after a failure: Launchpad tells only of those that come before the stop.
        if not self._stop.is_set():
            lp.stop()

    def _report_queue(self) -> None:
        capacity = float(self._config.resolved_queue_size)
        while not self._stop.wait(_REPORT_SECONDS):
            try:
                size = float(trajectory_queue.size(self._queue))
            except Exception as error:  # noqa: BLE001 - a figure is worth no crash
                if not self._stop.is_set():
                    logging.log_first_n(logging.WARNING, "No queue size: %r", 1, error)
                continue
            self._telemetry.set_counters(
                "queue", {"queue_size": size, "queue_capacity": capacity}
            )
