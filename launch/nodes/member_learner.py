"""The learner node of a population's member: a controller says what it is to be."""

from typing import Any

import numpy as np

from kickstarting.config import run as config_lib
from kickstarting.learning import learner, standstill
from kickstarting.population import member as population_member
from launch.computing import process_memory
from launch.monitoring import achievements
from launch.nodes import learner as learner_node


class MemberLearnerNode(learner_node.LearnerNode):
    """Trains, and serves the controller until that stops the program.

    What it does for the controller fails while its learner has failed: that one's state
    is lost, and so would be what it is told.
    """

    def __init__(
        self, config: config_lib.Config, teacher_returns: np.ndarray, queue: Any
    ) -> None:
        """See LearnerNode."""
        super().__init__(config, teacher_returns, queue)
        self._checkpointed = achievements.checkpointed(config.logdir)
        # Environment frames at the last copy; None: a checkpoint holds it.
        self._adopted_at: int | None = None

    def progress(self) -> population_member.Progress:
        """Returns how far this member is."""
        own = self._learner()
        copies = self._lives.telemetry.copies
        if self._adopted_at is not None and self._checkpointed() > self._adopted_at:
            self._adopted_at = None
        return population_member.Progress(
            own.frames,
            own.fitness(),
            own.life,
            own.restored_frames,
            copies,
            copies if self._adopted_at is None else copies - 1,
        )

    def evolve(self, evolved: dict[str, float]) -> None:
        """See Learner.evolve."""
        self._learner().evolve(evolved)

    def weights(self) -> list[np.ndarray]:
        """See Learner.weights."""
        weights = self._learner().weights()
        # Each of the server's threads would keep what a transfer took in a heap of its
        # own (docs/measurements.md); so in adopt.
        process_memory.give_back_freed_memory()
        return weights

    def adopt(self, weights: list[np.ndarray]) -> None:
        """See Learner.adopt."""
        own = self._learner()
        own.adopt(weights)
        # A checkpoint of more frames than these holds them.
        self._adopted_at = own.frames
        process_memory.give_back_freed_memory()

    def pause(self, paused: bool) -> None:
        """See Learner.pause."""
        self._learner().pause(paused)

    def run(self) -> None:
        """Trains until total_frames, and waits for the program's end.

        Raises:
          Exception: see LearnerLives.learn.
        """
        # A loss that is not finite may be finite with other hyperparameters.
        self._train(hopeless=(standstill.StandstillError,))
        # Its weights may still be copied.
        self._stop.wait()
        self._reporter.tell_the_end()

    def _learner(self) -> learner.Learner:
        newest = self._lives.newest()
        if self._lives.is_between:
            raise RuntimeError("the learner has failed, and another one is made")
        return newest
