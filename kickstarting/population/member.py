"""A member as its controller sees it: away for a while, and back as another learner.

What a member was told last is told again to a learner that took the place of one that
died. How often they die for nothing is counted.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
from absl import logging

from kickstarting.population import rules as population

# Deaths of one member in a row without a new checkpoint: so many make it a copy of
# another one, and so many end the run.
_DEATHS_BEFORE_COPY = 2
_DEATHS_BEFORE_END = 6


class MemberLostError(Exception):
    """A member dies again and again; the message is one line."""


class Progress(NamedTuple):
    """How far a member is.

    Attributes:
      frames: environment frames that it has learned from.
      fitness: None while unknown.
      life: another number for each learner that the member has had.
      restored_frames: of the checkpoint that this learner went on from, 0 without one.
      copies: that its weights go back to; see Telemetry.copies.
      kept_copies: likewise, of its newest checkpoint.
    """

    frames: int
    fitness: population.Fitness | None
    life: int = 0
    restored_frames: int = 0
    copies: int = -1
    kept_copies: int = -1


class Member(Protocol):
    """What the controller asks of a member; its learner, or a client of that.

    Any call may fail while the learner is away.
    """

    def progress(self) -> Progress:
        """Returns how far it is."""
        ...

    def evolve(self, evolved: dict[str, float]) -> None:
        """See Learner.evolve."""
        ...

    def weights(self) -> list[np.ndarray]:
        """See Learner.weights."""
        ...

    def adopt(self, weights: list[np.ndarray]) -> None:
        """See Learner.adopt."""
        ...

    def pause(self, paused: bool) -> None:
        """See Learner.pause."""
        ...


class WatchedMember:
    """Holds what is known of a member and what it is to be, and never fails with it.

    Attributes:
      progress: as it was when it last answered.
      is_up: whether it did so when it was last asked.
      restarts: how often another learner took the place of one that died.
      hyperparameters: that it is to have.
      paused: whether it is to wait.
      lacks_copy: whether its learner has died before a checkpoint held the last copy,
        and the weights are here no more.
    """

    def __init__(self, index: int, member: Member, copies: int = 0) -> None:
        """Asks nothing yet.

        Args:
          index: of the member, for the log.
          member: it.
          copies: that it has made before.
        """
        self._index = index
        self._member = member
        self.progress = Progress(0, None)
        self.is_up = True
        self.restarts = 0
        self.hyperparameters: Mapping[str, float] = {}
        self.paused = False
        self.lacks_copy = False
        # Of the member that it copies: until its checkpoint holds them.
        self._weights: list[np.ndarray] | None = None
        self._is_to_adopt = False
        self._copies = copies
        self._was_seen = False
        self._is_told = True
        self._deaths = 0

    @property
    def fitness(self) -> population.Fitness | None:
        """How well it does; None while that is unknown, or it is away."""
        return self.progress.fitness if self.is_up else None

    def look(self) -> bool:
        """Asks how far it is.

        Returns:
          whether it is a new learner that should become a copy of another member: it
          has no checkpoint, or several have died since they went on from the same one.

        Raises:
          MemberLostError: too many have died so.
        """
        try:
            progress = self._member.progress()
        except Exception as error:  # noqa: BLE001 - it may come back
            self._is_away(error)
            return False
        self.is_up = True
        before, self.progress = self.progress, progress
        self._look_after_copy()
        is_new = self._was_seen and progress.life != before.life
        self._was_seen = True
        if not is_new:
            return False
        self.restarts += 1
        self._is_told = False
        had_new_checkpoint = progress.restored_frames > before.restored_frames
        self._deaths = 0 if had_new_checkpoint else self._deaths + 1
        logging.warning(
            "Member %d goes on at %d frames with another learner (restart %d).",
            self._index,
            progress.restored_frames,
            self.restarts,
        )
        if self._deaths >= _DEATHS_BEFORE_END:
            raise MemberLostError(
                f"member {self._index} has died {self._deaths} times without a new "
                "checkpoint: find out why, then start the same command again"
            )
        return not progress.restored_frames or self._deaths >= _DEATHS_BEFORE_COPY

    def weights(self) -> list[np.ndarray] | None:
        """Returns its weights; None where it does not give them."""
        try:
            return self._member.weights()
        except Exception as error:  # noqa: BLE001 - it may come back
            self._is_away(error)
            return None

    def become(
        self,
        hyperparameters: Mapping[str, float],
        weights: list[np.ndarray] | None = None,
    ) -> None:
        """Lets it go on with other hyperparameters, now or when it is back.

        Args:
          hyperparameters: all of them.
          weights: of the member that it copies; None: it keeps its own.
        """
        self.hyperparameters = hyperparameters
        if weights is not None:
            self._weights = weights
            self._is_to_adopt, self.lacks_copy = True, False
            # Nothing is known yet of what it is now.
            self.progress = self.progress._replace(fitness=None)
        self._is_told = False
        self.tell()

    def pause(self, paused: bool) -> None:
        """Lets it wait or go on, now or when it is back."""
        if paused != self.paused:
            self.paused = paused
            self._is_told = False
            self.tell()

    def tell(self) -> None:
        """Tells it what it is to be, if it is there and does not know."""
        if self._is_told or not self.is_up:
            return
        try:
            if self._is_to_adopt:
                assert self._weights is not None
                self._member.adopt(self._weights)
                self._is_to_adopt = False
                if self.progress.copies < 0:
                    self._weights = None
                else:
                    self._copies = self.progress.copies + 1
            self._member.evolve(dict(self.hyperparameters))
            self._member.pause(self.paused)
            self._is_told = True
        except Exception as error:  # noqa: BLE001 - it is told when it is back
            self._is_away(error)

    def _look_after_copy(self) -> None:
        """Sees to it that the last copy is made again where a death has undone it."""
        progress = self.progress
        if progress.copies < 0 or self._is_to_adopt:
            return
        if progress.copies >= self._copies:
            self._copies = progress.copies
            self.lacks_copy = False
            if progress.kept_copies >= self._copies:
                self._weights = None
            return
        # What is known of it is of the weights before.
        self.progress = progress._replace(fitness=None)
        self.lacks_copy = self._weights is None
        if not self.lacks_copy:
            logging.warning("Member %d makes its last copy again.", self._index)
            self._is_to_adopt, self._is_told = True, False

    def _is_away(self, error: Exception) -> None:
        if self.is_up:
            # Why it is away its own node tells.
            logging.info("Member %d does not answer: %r", self._index, error)
        self.is_up = False
