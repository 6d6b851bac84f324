"""The controller of a population: watches its members and lets them evolve.

It decides by the rules of kickstarting.population, writes each decision down before it
is carried out, and goes on from what is written. A member that is away keeps nobody
waiting.
"""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from absl import logging

from kickstarting.config import run as config_lib
from kickstarting.population import hyperparameters
from kickstarting.population import rules as population
from kickstarting.population.events import (
    Event,
    PopulationEvents,
    PopulationEventsError,
)
from kickstarting.population.member import Member, Progress, WatchedMember

_POLL_SECONDS = 0.5
# The rule of an event that replaces a member whose own weights are lost.
REPLACEMENT = "replacement"

Watch = Callable[[list[Progress], list[Mapping[str, float]], int, list[int]], None]


class PopulationController:
    """Evolves a population until each member has all its frames."""

    def __init__(
        self,
        config: config_lib.Config,
        members: Sequence[Member],
        events: PopulationEvents,
        watch: Watch | None = None,
    ) -> None:
        """Reads what was decided before.

        Args:
          config: of the run; each member has its own hyperparameters.
          members: of the population.
          events: of the run's folder.
          watch: told the members' progress and hyperparameters, the copies made, and
            how often each member was restarted.
        """
        self._config = config
        self._population = config.population
        self._members = [
            WatchedMember(index, member, len(_copies_of(events, index)))
            for index, member in enumerate(members)
        ]
        self._events = events
        self._watch = watch
        self._copies = sum(event.copied for event in events.events)
        self._next_event = [1] * len(members)

    def run(self, stop: threading.Event) -> None:
        """Evolves until all members are done, or `stop` is set.

        Args:
          stop: set when the program ends.

        Raises:
          MemberLostError: a member dies again and again.
        """
        self._begin()
        while not stop.is_set():
            for index, member in enumerate(self._members):
                if member.look() and not self._is_over(member):
                    self._replace(index)
                if member.lacks_copy and not self._is_over(member):
                    self._copy_again(index)
                member.tell()
            for index, member in enumerate(self._members):
                if member.is_up and self._is_due(index):
                    self._evolve(index)
            self._take_turns()
            if self._watch is not None:
                self._watch(
                    [each.progress for each in self._members],
                    [each.hyperparameters for each in self._members],
                    self._copies,
                    [each.restarts for each in self._members],
                )
            if all(each.is_up and self._is_over(each) for each in self._members):
                return
            stop.wait(_POLL_SECONDS)

    def _begin(self) -> None:
        newest = self._events.newest()
        first = population.initial(
            hyperparameters.of_config(self._config), self._population, self._config.seed
        )
        for index, member in enumerate(self._members):
            if index in newest:
                member.become(newest[index].after)
                self._next_event[index] = newest[index].number + 1
            else:
                self._events.append(_beginning(index, first[index]))
                member.become(first[index])

    def _is_due(self, index: int) -> bool:
        number = self._next_event[index]
        member = self._members[index]
        if number > self._population.events or self._is_over(member):
            return False
        due = self._population.event_frames(number - 1, self._config.total_frames)
        return member.progress.frames >= due

    def _evolve(self, index: int) -> None:
        number = self._next_event[index]
        # The same decision again, should the controller die before it is written.
        random = np.random.default_rng((self._config.seed, 1, index, number))
        known = [each.fitness for each in self._members]
        decision = population.exploit(index, known, self._population, random)
        source = self._members[index].hyperparameters
        weights: list[np.ndarray] | None = None
        if decision.copies:
            assert decision.other is not None
            source = self._members[decision.other].hyperparameters
            weights = self._members[decision.other].weights()
            if weights is None:
                # It has just died: the event waits for another look at all of them.
                return
        is_carried_out = self._carry_out(
            index,
            number,
            decision,
            self._population.rule,
            population.explore(source, self._population, random),
            weights,
        )
        if is_carried_out:
            self._next_event[index] = number + 1

    def _replace(self, index: int) -> None:
        """Makes a member, whose own weights are lost, a copy of the best other one."""
        others = [
            other
            for other, each in enumerate(self._members)
            if other != index and each.is_up and each.progress.frames
        ]
        for other in sorted(others, key=self._health, reverse=True):
            weights = self._members[other].weights()
            if weights is None:
                continue
            decision = population.Decision(
                other, True, {"restarts": float(self._members[index].restarts)}
            )
            self._carry_out(
                index,
                # Between those that are due.
                self._next_event[index] - 1,
                decision,
                REPLACEMENT,
                self._members[other].hyperparameters,
                weights,
            )
            return

    def _copy_again(self, index: int) -> None:
        """Makes a member's last copy again, from the same one as it is now."""
        copies = _copies_of(self._events, index)
        if not copies or copies[-1].other is None:
            return
        weights = self._members[copies[-1].other].weights()
        if weights is not None:
            member = self._members[index]
            logging.warning("Member %d makes its last copy again.", index)
            member.become(member.hyperparameters, weights)

    def _carry_out(
        self,
        index: int,
        number: int,
        decision: population.Decision,
        rule: str,
        after: Mapping[str, float],
        weights: list[np.ndarray] | None,
    ) -> bool:
        """Returns whether it could be written down, and so was carried out."""
        member = self._members[index]
        other = None if decision.other is None else self._members[decision.other]
        event = Event(
            number=number,
            member=index,
            frames=member.progress.frames,
            other=decision.other,
            copied=decision.copies,
            rule=rule,
            statistics=dict(decision.statistics),
            fitness=_mean(member.fitness),
            other_fitness=None if other is None else _mean(other.fitness),
            before=member.hyperparameters,
            after=after,
        )
        try:
            self._events.append(event)
        except PopulationEventsError as error:
            # A full disk may have room again when it is looked at the next time.
            logging.error("Training goes on, but member %d waits: %s", index, error)
            return False
        member.become(after, weights)
        if decision.copies:
            self._copies += 1
            logging.info("Member %d copies member %d.", index, decision.other)
        return True

    def _health(self, index: int) -> tuple[float, int]:
        fitness = self._members[index].fitness
        return (
            -math.inf if fitness is None else fitness.mean,
            self._members[index].progress.frames,
        )

    def _take_turns(self) -> None:
        """Lets those train that are furthest behind, if not all may at once."""
        at_once = self._population.at_once
        if not at_once:
            return
        by_turn = sorted(
            (
                index
                for index, each in enumerate(self._members)
                # Nobody waits for one that is away.
                if each.is_up and not self._is_over(each)
            ),
            # Whoever trains goes on until its next event is due.
            key=lambda index: (
                self._next_event[index],
                self._members[index].paused,
                index,
            ),
        )
        for index, member in enumerate(self._members):
            if member.is_up:
                member.pause(index in by_turn[at_once:])

    def _is_over(self, member: WatchedMember) -> bool:
        return member.progress.frames >= self._config.total_frames


def _copies_of(events: PopulationEvents, index: int) -> list[Event]:
    return [each for each in events.events if each.member == index and each.copied]


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
