"""The controller of a population: watches its members and lets them evolve.

It decides by the rules of kickstarting.population, writes each decision down before it
is carried out, and goes on from what is written.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from absl import logging

from kickstarting import config as config_lib
from kickstarting import hyperparameters, population
from kickstarting.population_events import Event, PopulationEvents

_POLL_SECONDS = 0.5


class Progress(NamedTuple):
    """How far a member is.

    Attributes:
      frames: environment frames that it has learned from.
      fitness: None while unknown.
    """

    frames: int
    fitness: population.Fitness | None


class Member(Protocol):
    """What the controller asks of a member; its learner, or a client of that."""

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


class PopulationController:
    """Evolves a population until each member has all its frames."""

    def __init__(
        self,
        config: config_lib.Config,
        members: Sequence[Member],
        events: PopulationEvents,
        watch: Callable[[list[Progress], list[dict[str, float]], int], None]
        | None = None,
    ) -> None:
        """Reads what was decided before.

        Args:
          config: of the run; each member has its own hyperparameters.
          members: of the population.
          events: of the run's folder.
          watch: told the members' progress and hyperparameters, and the copies made.
        """
        self._config = config
        self._population = config.population
        self._members = members
        self._events = events
        self._watch = watch
        self._hyperparameters: list[dict[str, float]] = []
        self._copies = sum(event.copied for event in events.events)
        self._next_event = [1] * len(members)
        self._paused = [False] * len(members)

    def run(self, stop: threading.Event) -> None:
        """Evolves until all members are done, or `stop` is set.

        Args:
          stop: set when the program ends.
        """
        self._begin()
        while not stop.is_set():
            progress = [member.progress() for member in self._members]
            for index in range(len(self._members)):
                if self._is_due(index, progress[index].frames):
                    self._evolve(index, progress)
            if all(self._is_over(each.frames) for each in progress):
                return
            self._take_turns([each.frames for each in progress])
            if self._watch is not None:
                self._watch(progress, self._hyperparameters, self._copies)
            stop.wait(_POLL_SECONDS)

    def _begin(self) -> None:
        newest = self._events.newest()
        first = population.initial(
            hyperparameters.of_config(self._config), self._population, self._config.seed
        )
        for index, member in enumerate(self._members):
            if index in newest:
                self._hyperparameters.append(dict(newest[index].after))
                self._next_event[index] = newest[index].number + 1
            else:
                self._hyperparameters.append(first[index])
                self._events.append(_beginning(index, first[index]))
            member.evolve(self._hyperparameters[index])

    def _is_due(self, index: int, frames: int) -> bool:
        number = self._next_event[index]
        if number > self._population.events or self._is_over(frames):
            return False
        due = self._population.event_frames(number - 1, self._config.total_frames)
        return frames >= due

    def _evolve(self, index: int, progress: list[Progress]) -> None:
        number = self._next_event[index]
        # The same decision again, should the controller die before it is written.
        random = np.random.default_rng((self._config.seed, 1, index, number))
        known = [each.fitness for each in progress]
        decision = population.exploit(index, known, self._population, random)
        before = self._hyperparameters[index]
        source = before
        weights: list[np.ndarray] | None = None
        if decision.copies:
            assert decision.other is not None
            source = self._hyperparameters[decision.other]
            weights = self._members[decision.other].weights()
        after = population.explore(source, self._population, random)
        self._events.append(
            Event(
                number=number,
                member=index,
                frames=progress[index].frames,
                other=decision.other,
                copied=decision.copies,
                rule=self._population.rule,
                statistics=dict(decision.statistics),
                fitness=_mean(known[index]),
                other_fitness=None
                if decision.other is None
                else _mean(known[decision.other]),
                before=before,
                after=after,
            )
        )
        if weights is not None:
            self._members[index].adopt(weights)
            self._copies += 1
            # Nothing is known yet of what it is now.
            progress[index] = progress[index]._replace(fitness=None)
            logging.info("Member %d copies member %d.", index, decision.other)
        self._members[index].evolve(after)
        self._hyperparameters[index] = after
        self._next_event[index] = number + 1

    def _take_turns(self, frames: Sequence[int]) -> None:
        """Lets those train that are furthest behind, if not all may at once."""
        at_once = self._population.at_once
        if not at_once:
            return
        by_turn = sorted(
            (index for index, done in enumerate(frames) if not self._is_over(done)),
            # Whoever trains goes on until its next event is due.
            key=lambda index: (self._next_event[index], self._paused[index], index),
        )
        for index in range(len(frames)):
            paused = index in by_turn[at_once:]
            if paused != self._paused[index]:
                self._members[index].pause(paused)
                self._paused[index] = paused

    def _is_over(self, frames: int) -> bool:
        return frames >= self._config.total_frames


def _beginning(index: int, first: dict[str, float]) -> Event:
    return Event(
        number=0,
        member=index,
        frames=0,
        other=None,
        copied=False,
        rule="initial",
        statistics={},
        fitness=None,
        other_fitness=None,
        before=first,
        after=first,
    )


def _mean(fitness: Any) -> float | None:
    return None if fitness is None else fitness.mean
