"""The learner node: a Courier service that trains and then stops the program."""

import threading
from typing import Any

import launchpad as lp
import numpy as np
from absl import logging

from kickstarting.agent.agent import Agent
from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.learning import learner, skipped_updates, update
from kickstarting.population import member as population_member
from kickstarting.queue import example as trajectory_example
from kickstarting.queue import reverb_queue
from kickstarting.reporting import run_files, status_text, telemetry
from kickstarting.storage import checkpoints as checkpoints_lib
from kickstarting.teaching import initialisation
from launch.monitoring import metrics_server, node_reports, run_folder, shared_view
from launch.processes import process_memory, revival

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
        self._teacher_returns = teacher_returns
        self._queue = queue
        self._run_files = run_files.RunFiles(config.logdir)
        self._has_failed = False
        self._telemetry, self._learner = self._make_learner()

    def _make_learner(self) -> tuple[telemetry.Telemetry, learner.Learner]:
        config = self._config
        spec = suites.environment_spec(
            config.tasks[0], config.action_repeat, config.lab.action_set
        )
        references = [suites.reference_score(task) for task in config.tasks]
        gathered = telemetry.Telemetry(
            config.tasks,
            references,
            config.total_frames,
            score_window_frames=config.resolved_score_window_frames,
            sources_go_on=self._has_failed or revival.predecessors() > 0,
        )
        example = trajectory_example.example(config, spec)
        agent = Agent(spec, config.network)
        return gathered, learner.Learner(
            config,
            update.shared(agent, config),
            lambda: reverb_queue.batches(
                self._queue, example, config.batch_size, self._stop.is_set
            ),
            checkpoints_lib.Checkpoints(
                run_folder.checkpoints(config.logdir), config.checkpoint.keep
            ),
            run_folder.metadata(config, spec),
            gathered,
            self._run_files,
            self._teacher_returns,
            np.array([r.random if r else 0.0 for r in references], np.float32),
            initialisation.initial_params(config, agent),
        )

    def parameters(self, held: int) -> Any:
        """See Learner.parameters; actors act on while another learner is made."""
        return None if self._has_failed else self._learner.parameters(held)

    def ended_teachers(self) -> np.ndarray:
        """See Learner.ended_teachers."""
        return self._learner.ended_teachers()

    def report(
        self,
        source: str,
        counters: dict[str, float],
        gauges: dict[str, float],
        episodes: Any,
    ) -> None:
        """See Learner.report."""
        self._learner.report(source, counters, gauges, episodes)

    def progress(self) -> population_member.Progress:
        """Returns how far this member of a population is."""
        member = self._member()
        return population_member.Progress(
            member.frames, member.fitness(), member.life, member.restored_frames
        )

    def evolve(self, evolved: dict[str, float]) -> None:
        """See Learner.evolve."""
        self._member().evolve(evolved)

    def weights(self) -> list[np.ndarray]:
        """See Learner.weights."""
        weights = self._member().weights()
        # Each of the server's threads would keep what a transfer took in a heap of its
        # own (docs/measurements.md); so in adopt.
        process_memory.give_back_freed_memory()
        return weights

    def adopt(self, weights: list[np.ndarray]) -> None:
        """See Learner.adopt."""
        self._member().adopt(weights)
        process_memory.give_back_freed_memory()

    def pause(self, paused: bool) -> None:
        """See Learner.pause."""
        self._member().pause(paused)

    def _member(self) -> learner.Learner:
        """Returns what the controller may change: that of a failed one is lost."""
        if self._has_failed:
            raise RuntimeError("the learner has failed, and another one is made")
        return self._learner

    def run(self) -> None:
        """Trains until total_frames or a stop signal; then stops the program.

        A member of a population does not: its weights may still be copied.
        """
        reporter = threading.Thread(
            target=self._report_nodes, name="node_reports", daemon=True
        )
        reporter.start()
        view = shared_view.of_node(
            status_text.RunStatus(self._telemetry, ", ".join(self._config.tasks))
        )
        if self._config.show:
            view.start()
        if self._config.metrics_port:
            # Another learner may take this one's place, with another telemetry.
            metrics_server.MetricsServer(
                self._config.metrics_port,
                lambda: self._telemetry.row(),
                lambda: self._telemetry.silence(),
            )
        try:
            if revival.is_wanted(self._config):
                revival.keep_going(
                    self._config.logdir,
                    "learner/0",
                    self._learn,
                    self._stop,
                    self._hopeless(),
                )
            else:
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
            return
        # It may be about to write once more.
        reporter.join(_REPORT_SECONDS)
        node_reports.write(self._config.logdir, self._telemetry.silence(), True)

    def _hopeless(self) -> tuple[type[Exception], ...]:
        """Returns the failures that end the run.

        What leads to a loss that is not finite would lead there again, unless the
        hyperparameters evolve, and where the last checkpoint finds no room there is no
        more for another one.
        """
        if self._config.population.size > 1:
            return ()
        return (skipped_updates.LossError, checkpoints_lib.CheckpointError)

    def _learn(self) -> None:
        """Learns; with another learner where the one before has failed."""
        if self._has_failed:
            self._learner.wait_for_reader(self._stop)
            self._telemetry, self._learner = self._make_learner()
            self._has_failed = False
        try:
            self._learner.run(self._stop)
        except BaseException:
            self._has_failed = True
            raise

    def _report_nodes(self) -> None:
        """Reports the queue to the telemetry, and all nodes to the run's folder."""
        capacity = float(self._config.resolved_queue_size)
        while not self._stop.wait(_REPORT_SECONDS):
            node_reports.write(self._config.logdir, self._telemetry.silence())
            try:
                size = float(reverb_queue.size(self._queue))
            except Exception as error:  # noqa: BLE001 - a figure is worth no crash
                if not self._stop.is_set():
                    logging.log_first_n(logging.WARNING, "No queue size: %r", 1, error)
                continue
            self._telemetry.report(
                "queue/0",
                counters={},
                gauges={"queue_size": size, "queue_capacity": capacity},
            )
