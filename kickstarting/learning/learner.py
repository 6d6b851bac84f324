"""The learner: takes batches of unrolls, updates, publishes parameters, checkpoints."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from absl import logging

from kickstarting.agent import trajectory
from kickstarting.config import run as config_lib
from kickstarting.learning import (
    annealing,
    metrics_reader,
    passes,
    skipped_updates,
    standstill,
)
from kickstarting.learning import reader as reader_lib
from kickstarting.learning import update as update_lib
from kickstarting.loss import schedules
from kickstarting.population import hyperparameters as hyperparameters_lib
from kickstarting.population import rules as population
from kickstarting.reporting import profile, row_average, unanswered
from kickstarting.reporting import run_files as run_files_lib
from kickstarting.reporting import telemetry as telemetry_lib
from kickstarting.storage import checkpoints as checkpoints_lib

_WAIT_SECONDS = 0.2
# Of a fault that lasts, after which a person is told again.
_STALL_SECONDS = 60.0


class Learner:
    """Owns the parameters of one student.

    All methods but `run`, which is called once, may be called from any thread.

    Attributes:
      frames: environment frames that it has learned from.
      restored_frames: those of the checkpoint that it went on from, 0 without one.
      life: an integer that tells it from the learners that were in its place before.
    """

    def __init__(
        self,
        config: config_lib.Config,
        update: update_lib.Update,
        batches: Callable[[], Iterator[trajectory.Trajectory]],
        checkpoints: checkpoints_lib.Checkpoints,
        metadata: Mapping[str, Any],
        telemetry: telemetry_lib.Telemetry,
        run_files: run_files_lib.RunFiles,
        teacher_returns: np.ndarray,
        random_returns: np.ndarray,
        initial_params: Mapping[str, Any] | None = None,
    ) -> None:
        """Restores the newest sound checkpoint, or begins afresh.

        Args:
          config: of the run.
          update: the compiled update.
          batches: opens the stream of batches; it is read from a thread of its own.
          checkpoints: of the run's folder.
          metadata: what a checkpoint must agree with (network, action set, tasks).
          telemetry: gathers what is shown.
          run_files: where rows are written.
          teacher_returns: float32 [num_tasks, K], raw, which the teachers reach for all
            that is known (TeacherReturns.assured); NaN where unknown or where there is
            no teacher.
          random_returns: float32 [num_tasks] of the random policy, 0 where unknown.
          initial_params: by the names of parts of the network: what a new run begins
            with there, instead of random ones.

        Raises:
          checkpoints_lib.CheckpointError: the newest checkpoint is of another run.
        """
        self._config = config
        self._update = update
        self._standstill = standstill.Standstill(
            config.logdir,
            [f"actor/{index}" for index in range(config.num_actors)],
            config.standstill_minutes,
        )
        self._reader = reader_lib.Reader(batches, update.shard, self._standstill.check)
        self._checkpoints = checkpoints
        self._metadata = dict(metadata)
        self._telemetry = telemetry
        self._run_files = run_files
        self._teacher_returns = teacher_returns
        self._random_returns = random_returns
        self._skipped_updates = skipped_updates.SkippedUpdates()
        self._metrics = metrics_reader.MetricsReader()
        self._newest_metrics: dict[str, float] = {}
        self._profile = profile.Profile(config.profile_seconds, config.logdir)
        self.frames = 0
        fresh = update.init(jax.random.key(config.seed))
        if initial_params:
            fresh = fresh._replace(params={**fresh.params, **initial_params})
        state = self._restore(fresh)
        self._advice = unanswered.Watch(telemetry.row)
        # In nanoseconds: no other learner of the run has the same.
        self.life = time.time_ns()
        self.restored_frames = self._row_frames = self.frames
        # Rows beyond the checkpoint will be written again.
        run_files.truncate(self.frames)
        self._state = update.replicate(state)
        self._num_updates = int(state.updates)
        self._restored_updates = self._num_updates
        self._published: tuple[int, jax.Array, np.ndarray] | None = None
        # An update consumes the state that it is given: nobody else may read it then.
        self._state_lock = threading.Lock()
        self._may_update = threading.Event()
        self._may_update.set()
        self._publish()

    def parameters(self, held: int) -> tuple[int, np.ndarray, np.ndarray] | None:
        """Answers an actor.

        A learner that goes on from a checkpoint publishes lower versions than actors
        may hold of the one before it.

        Args:
          held: the version that the actor has, -1 for none.

        Returns:
          None, or (version, flat parameters float32 [P], λ float32 [num_tasks, K]).
        """
        published = self._published
        if published is None or published[0] == held:
            return None
        version, flat, weight = published
        return version, np.asarray(flat), weight

    def lambda_is_zero_for_good(self) -> np.ndarray:
        """Returns where no teacher is needed any more, bool [num_tasks, K]."""
        return schedules.lambda_is_zero_for_good(self._config, self.frames)

    def report(
        self,
        source: str,
        counters: Mapping[str, float],
        gauges: Mapping[str, float],
        episodes: Any,
        doing: str = "",
    ) -> None:
        """Takes what an actor or a teacher server reports, and finished episodes.

        Args:
          source: e.g. 'actor/0'.
          counters: see Telemetry.report.
          gauges: see Telemetry.report.
          episodes: None, or (task indices, raw returns, agent steps), arrays [n].
          doing: what it does, for a person; see Standstill.hear.
        """
        if doing:
            self._standstill.hear(source, doing)
        self._telemetry.report(source, counters=counters, gauges=gauges)
        if episodes is not None:
            self._telemetry.add_episodes(*episodes)

    def fitness(self) -> population.Fitness | None:
        """Returns how well the student does; None while a task lacks episodes."""
        return population.fitness(
            self._telemetry.episode_scores(), self._config.population.min_episodes
        )

    def evolve(self, evolved: Mapping[str, float]) -> None:
        """Goes on with other hyperparameters.

        Args:
          evolved: by the names of hyperparameters.of_config.

        Raises:
          config_checks.ConfigError: a value is out of its range.
        """
        self._config = hyperparameters_lib.applied(self._config, evolved)

    def weights(self) -> list[np.ndarray]:
        """Returns what another member copies: the leaves of the learner's state."""
        with self._state_lock:
            return jax.tree.leaves(self._update.on_host(self._state))

    def adopt(self, weights: Sequence[np.ndarray]) -> None:
        """Goes on with the weights of another member of the population.

        The episodes so far say nothing of them and are forgotten. Unrolls that are
        under way were acted by the policy before: V-trace sees to that.

        Args:
          weights: what `weights` of the other one returned.
        """
        with self._state_lock:
            copied = jax.tree.unflatten(jax.tree.structure(self._state), weights)
            # The number of updates tells actors what is new, and must not fall.
            updates = np.int32(self._num_updates)
            self._state = self._update.replicate(copied._replace(updates=updates))
            self._telemetry.forget_episodes()

    def pause(self, paused: bool) -> None:
        """Stops updating, while other members have their turn, or goes on.

        The queue fills meanwhile, and then holds the actors back.
        """
        if paused:
            self._may_update.clear()
        else:
            self._may_update.set()

    def run(self, stop: threading.Event) -> None:
        """Updates until total_frames are reached or `stop` is set, then checkpoints.

        Where a row of metrics or a checkpoint on the way finds no room on the disk it
        says so and goes on.

        Args:
          stop: set when the program ends.

        Raises:
          skipped_updates.LossError: too many updates in a row could not be taken.
          standstill.StandstillError: no unrolls came for config.standstill_minutes.
          checkpoints_lib.CheckpointError: the last checkpoint cannot be written.
        """
        self._reader.start(stop)
        has_ended = threading.Event()
        self._standstill.watch(has_ended)
        saved, has_updated = time.monotonic(), False
        period = self._config.checkpoint.period_minutes * 60
        row = row_average.RowAverage()
        try:
            for batch in self._batches(stop):
                self._standstill.begins_update()
                self._take_metrics(row, self._step(batch))
                has_updated = True
                self._advice.tell()
                self._profile.after_update()
                period_of_rows = row_average.period(self._telemetry.seconds())
                if self._has_new(row) and row.seconds > period_of_rows:
                    self._try_to(self._write_row, row)
                    row = row_average.RowAverage()
                if time.monotonic() - saved > period:
                    self._try_to(self._save)
                    saved = time.monotonic()
                self._standstill.updated()
            self._take_metrics(row, self._metrics.rest())
        finally:
            has_ended.set()
            self._profile.end()
            self._reader.end()
            self._advice.tell(is_last=True)
            if self._has_new(row):
                self._try_to(self._write_row, row)
            if has_updated and self._holds_state():
                self._save()

    def wait_for_reader(self, stop: threading.Event) -> None:
        """Waits, after `run` has failed, until it takes nothing more from the queue.

        Args:
          stop: set when the program ends: then nothing is waited for.
        """
        self._reader.wait(stop)

    def _batches(self, stop: threading.Event) -> Iterator[passes.Batch]:
        """Yields the batches of the passes over one window after the other."""

        def take() -> trajectory.Trajectory | None:
            self._wait_for_turn(stop)
            return self._reader.take(stop)

        while self.frames < self._config.total_frames and not stop.is_set():
            for batch in passes.of_window(
                self._config, self.frames, self._num_updates, take, self._held_values
            ):
                self._wait_for_turn(stop)
                if stop.is_set():
                    return
                yield batch

    def _held_values(self, batch: trajectory.Trajectory) -> jax.Array | None:
        if not self._config.loss.held_values:
            return None
        with self._state_lock:
            return self._update.values(self._state, batch)

    def _wait_for_turn(self, stop: threading.Event) -> None:
        while not self._may_update.wait(_WAIT_SECONDS) and not stop.is_set():
            self._standstill.rest()

    def _step(self, batch: passes.Batch) -> metrics_reader.Metrics | None:
        """Does one update; returns the metrics of the update before it."""
        kickstarting = self._weights()
        hyperparameters = annealing.hyperparameters(
            self._config, self.frames, kickstarting.kickstarting_weight
        )
        with self._state_lock:
            self._state, metrics = self._update(
                self._state, batch.trajectory, hyperparameters, batch.held_values
            )
            self._num_updates += 1
            self.frames += batch.new_frames
            if batch.ends_window or not self._config.synchronous:
                self._publish()
        updates = self._num_updates - self._restored_updates
        known = {
            "learning_rate": float(hyperparameters.learning_rate),
            "replay_ratio": updates / self._reader.taken,
            **schedules.metrics(self._config, kickstarting),
        }
        if self._config.population.size > 1:
            known["entropy_cost"] = float(hyperparameters.entropy_cost)
            known["optimiser_epsilon"] = float(hyperparameters.optimiser_epsilon)
        return self._metrics.exchange(self.frames, metrics, known)

    def _take_metrics(
        self, row: row_average.RowAverage, metrics: metrics_reader.Metrics | None
    ) -> None:
        if metrics is not None:
            self._skipped_updates.record(metrics.skipped, metrics.frames)
            if not metrics.skipped:
                self._newest_metrics = metrics.values
                row.add(metrics.values)
        self._telemetry.record_update(
            self.frames, self._num_updates, self._newest_metrics
        )

    def _weights(self) -> schedules.Weights:
        students = [
            self._telemetry.mean_return(task) for task in range(len(self._config.tasks))
        ]
        return schedules.weights(
            self._config,
            self.frames,
            np.array([math.nan if x is None else x for x in students]),
            self._teacher_returns,
            self._random_returns,
        )

    def _publish(self) -> None:
        self._published = (
            self._num_updates,
            self._update.flat_parameters(self._state),
            self._weights().kickstarting_weight,
        )

    def _try_to(self, write: Callable[..., None], *arguments: Any) -> None:
        """Writes, or says why not: a full disk may have room again the next time."""
        try:
            write(*arguments)
        except (checkpoints_lib.CheckpointError, run_files_lib.RunFilesError) as error:
            logging.log_every_n_seconds(
                logging.ERROR, "Training goes on, but %s", _STALL_SECONDS, error
            )

    def _has_new(self, row: row_average.RowAverage) -> bool:
        """Whether a row says more than the one before: rows are told by their frames.

        Later passes over a window have no new frames: they are in the next row.
        """
        return bool(row.updates) and self.frames > self._row_frames

    def _write_row(self, row: row_average.RowAverage) -> None:
        self._telemetry.report(
            "learner/0",
            counters={
                "compilations": float(self._update.compilations()),
                "skipped_updates": float(self._skipped_updates.total),
            },
            gauges={
                "wait_data": self._reader.seconds_waited() / max(row.seconds, 1e-9),
            },
        )
        self._run_files.write_row({**self._telemetry.row(), **row.means()})
        self._row_frames = self.frames

    def _holds_state(self) -> bool:
        """Whether the state is whole: an update that fails has been given it."""
        return not any(leaf.is_deleted() for leaf in jax.tree.leaves(self._state))

    def _save(self) -> None:
        # First: a copy in between is rather made again than lost (Telemetry.copies).
        metadata = {**self._metadata, "telemetry": self._telemetry.state()}
        state = self._update.on_host(self._state)
        self._checkpoints.save(self.frames, state._asdict(), metadata)

    def _restore(self, fresh: update_lib.LearnerState) -> update_lib.LearnerState:
        if not self._config.checkpoint.resume:
            return fresh
        template = jax.tree.map(np.asarray, fresh._asdict())
        restored = self._checkpoints.restore_newest(template, self._metadata)
        if restored is None:
            return fresh
        self.frames = restored.frames
        self._telemetry.restore(restored.metadata["telemetry"])
        logging.info("Resumed at %d frames.", self.frames)
        return update_lib.LearnerState(**restored.tree)
