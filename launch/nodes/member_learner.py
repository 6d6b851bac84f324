"""The learner node of a population's member: a controller says what it is to be."""

import numpy as np

from kickstarting.learning import learner, standstill
from kickstarting.population import member as population_member
from launch.computing import process_memory
from launch.nodes import learner as learner_node


class MemberLearnerNode(learner_node.LearnerNode):
    """Trains, and serves the controller until that stops the program.

    What it does for the controller fails while its learner has failed: that one's state
    is lost, and so would be what it is told.
    """

    def progress(self) -> population_member.Progress:
        """Returns how far this member is."""
        own = self._learner()
        return population_member.Progress(
            own.frames, own.fitness(), own.life, own.restored_frames
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
        self._learner().adopt(weights)
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
