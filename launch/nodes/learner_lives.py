"""The learners of one node, one after another: where one fails, the next goes on."""

import threading
from typing import Any

import numpy as np

from kickstarting.config import run as config_lib
from kickstarting.learning import learner as learner_lib
from kickstarting.queue import example as trajectory_example
from kickstarting.reporting import run_files
from kickstarting.ring import parts
from kickstarting.storage import folder_lock
from launch.monitoring import achievements
from launch.processes import keeper, revival

# More than what a learner that fails writes down of the few updates before that, each
# time; fewer than lie between two checkpoints.
_UPDATES_OF_PROGRESS = 100
# A server of NFS takes back what a machine held that has died: after 90, as a rule.
_LEASE_SECONDS = 120.0
_WAIT_SECONDS = 0.2


class LearnerLives:
    """Makes a learner, and another one from its checkpoint where it has failed.

    Attributes:
      learner: the newest; like its telemetry, not there before `begin`.
      telemetry: which it fills.
      is_between: whether none learns: it has failed, and the next is not made yet, or
        the first is not.
    """

    def __init__(
        self,
        config: config_lib.Config,
        teacher_returns: np.ndarray,
        queue: Any,
        stop: threading.Event,
    ) -> None:
        """Takes the run's folder; makes nothing yet.

        Args:
          config: of the run, or of a population's member.
          teacher_returns: float32 [num_tasks, K], TeacherReturns.assured().
          queue: Reverb client.
          stop: set when the program ends.

        Raises:
          folder_lock.FolderInUseError: another learner trains there, on whatever
            machine.
        """
        self._config = config
        self._teacher_returns = teacher_returns
        self._queue = queue
        self._stop = stop
        folder_lock.hold(config.logdir, folder_lock.LEARNER, _LEASE_SECONDS)
        self._run_files = run_files.RunFiles(config.logdir)
        self.is_between = True

        self._is_made = threading.Event()

    def begin(self) -> None:
        """Makes the first learner, which restores or begins the run."""
        # Who reports had begun before, if another process was in this one's place.
        self._make(sources_go_on=keeper.predecessors() > 0)
        self.is_between = False
        self._is_made.set()

    def newest(self) -> learner_lib.Learner:
        """Returns the newest learner; waits for the first.

        Raises:
          RuntimeError: the program ended before there was one.
        """
        while not self._is_made.wait(_WAIT_SECONDS):
            if self._stop.is_set():
                raise RuntimeError("the program has ended before its learner began")
        return self.learner

    def learn(self, hopeless: tuple[type[Exception], ...]) -> None:
        """Learns until total_frames, or a stop.

        Args:
          hopeless: failures after which no other learner is made.

        Raises:
          Exception: one of these, or what revival.keep_going gives up at.
        """
        # Its actors have what it published, and start their environments meanwhile.
        parts.compile_update(self._config)
        if not revival.is_wanted(self._config):
            self.learner.run(self._stop)
            return
        revival.keep_going(
            self._config.logdir,
            "learner/0",
            self._live,
            self._stop,
            hopeless,
            achievements.checkpointed(self._config.logdir),
            _UPDATES_OF_PROGRESS * self._config.frames_per_batch,
        )

    def close(self) -> None:
        """Closes the run's files, and gives its folder back."""
        self._run_files.close()
        folder_lock.release(self._config.logdir, folder_lock.LEARNER)

    def _live(self) -> None:
        if self.is_between:
            self.learner.wait_for_reader(self._stop)
            self._make(sources_go_on=True)
            self.is_between = False
        try:
            self.learner.run(self._stop)
        except BaseException:
            self.is_between = True
            raise

    def _make(self, sources_go_on: bool) -> None:
        # Loads Reverb, which launchers do without.
        from kickstarting.queue import reverb_queue

        config = self._config
        example = trajectory_example.example(config, parts.environment_spec(config))
        self.telemetry, self.learner = parts.make_learner(
            config,
            lambda: reverb_queue.batches(
                self._queue, example, config.batch_size, self._stop.is_set
            ),
            self._teacher_returns,
            self._run_files,
            sources_go_on,
        )
