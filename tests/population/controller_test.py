"""The controller with members whose fitness is a function of their hyperparameters."""

import itertools
import math
import threading
from collections.abc import Callable

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.config.population import PopulationConfig
from kickstarting.config.run import Config, KickstartingConfig
from kickstarting.population import controller as population_controller
from kickstarting.population import events as population_events
from kickstarting.population import member as population_member
from kickstarting.population import rules as population

_TASK = "doom:basic"
_FRAMES = 100_000
_STEP = 500


class _AwayError(Exception):
    pass


class _Member:
    """Learns `_STEP` frames each time that it is asked how far it is.

    It may die, be away for some questions, and come back from its checkpoint.
    """

    def __init__(self, name: float) -> None:
        self.content = np.array([name])
        self.frames = 0
        self.paused = False
        self.hyperparameters: dict[str, float] = {}
        self.copies = 0
        self.life = 1
        self.restored_frames = 0
        self.questions_away = 0
        self.pauses: list[bool] = []

    def die(self, questions_away: int, checkpoint_frames: int) -> None:
        self.questions_away = questions_away
        self.frames = self.restored_frames = checkpoint_frames
        self.life += 1
        self.content = np.array([-1.0])
        self.paused = False
        self.hyperparameters = {}

    def progress(self) -> population_member.Progress:
        if self.questions_away:
            self.questions_away -= 1
        self._check_is_there()
        if not self.hyperparameters:
            return population_member.Progress(
                self.frames, None, self.life, self.restored_frames
            )
        if not self.paused:
            self.frames = min(self.frames + _STEP, _FRAMES)
        # The less advice, the better.
        score = -20.0 * math.log10(self.hyperparameters[population.WEIGHT])
        return population_member.Progress(
            self.frames,
            population.Fitness(score, 1.0, 50.0),
            self.life,
            self.restored_frames,
        )

    def _check_is_there(self) -> None:
        if self.questions_away:
            raise _AwayError

    def evolve(self, evolved: dict[str, float]) -> None:
        self._check_is_there()
        self.hyperparameters = evolved

    def weights(self) -> list[np.ndarray]:
        self._check_is_there()
        return [self.content]

    def adopt(self, weights: list[np.ndarray]) -> None:
        self._check_is_there()
        self.content = weights[0].copy()
        self.copies += 1

    def pause(self, paused: bool) -> None:
        self._check_is_there()
        self.paused = paused
        self.pauses.append(paused)


def _at(member: _Member, frames: int, happens: Callable[[], None]) -> None:
    """Lets something happen once, before the member is asked how far it is."""
    progress = member.progress
    left = [happens]

    def asked() -> population_member.Progress:
        if left and member.frames >= frames:
            left.pop()()
        return progress()

    member.progress = asked


class PopulationControllerTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.logdir = self.create_tempdir().full_path
        self.enter_context(
            absltest.mock.patch.object(population_controller, "_POLL_SECONDS", 0.0)
        )

    def _run(
        self,
        members: list[_Member],
        stop: threading.Event | None = None,
        watch: population_controller.Watch | None = None,
        **changed,
    ) -> list[population_events.Event]:
        config = Config(
            (_TASK,),
            self.logdir,
            total_frames=_FRAMES,
            kickstarting=KickstartingConfig(
                teachers=((_TASK, "teacher"),), schedule="constant", weight=4.0
            ),
            population=PopulationConfig(size=len(members), events=60, **changed),
        )
        events = population_events.PopulationEvents(self.logdir)
        population_controller.PopulationController(config, members, events, watch).run(
            stop or threading.Event()
        )
        return population_events.PopulationEvents(self.logdir).events

    def test_those_that_were_held_go_on_though_one_is_away(self):
        members = [_Member(float(index)) for index in range(3)]
        for member in members:
            member.paused = True
        members[0].questions_away = 20
        seen = []

        def watch(progress, *_) -> None:
            seen.append([each.frames for each in progress])

        self._run(members, watch=watch)
        while_away = seen[:10]
        self.assertEqual([frames[0] for frames in while_away], [0] * 10)
        for index in (1, 2):
            self.assertEqual(
                [frames[index] for frames in while_away],
                [_STEP * (look + 1) for look in range(10)],
            )
        self.assertEqual(seen[-1], [_FRAMES] * 3)

    @parameterized.parameters("score_gap", "truncation", "welch")
    def test_a_population_lowers_a_weight_that_hurts(self, rule):
        members = [_Member(index) for index in range(8)]
        events = self._run(members, rule=rule)
        first = [each.after[population.WEIGHT] for each in events[:8]]
        last = [each.hyperparameters[population.WEIGHT] for each in members]
        self.assertLess(np.median(last), np.median(first) / 50)
        self.assertLen(events, 8 * 61)
        # What helped spread: few are left whose weights were never copied.
        self.assertLess(len({float(each.content[0]) for each in members}), 8)

    def test_a_copied_member_equals_its_source_before_it_is_changed(self):
        members = [_Member(index) for index in range(4)]
        events = self._run(members)
        copied = [each for each in events if each.copied]
        self.assertNotEmpty(copied)
        self.assertEqual(sum(each.copies for each in members), len(copied))
        known = {}
        for event in events:
            if event.copied:
                before = known[event.other]
                self.assertGreater(event.other_fitness - event.fitness, 5.0)
            else:
                before = event.before
            for name, value in event.after.items():
                change = abs(math.log(value / before[name]))
                self.assertTrue(
                    any(math.isclose(change, x, abs_tol=1e-9) for x in _CHANGES), change
                )
            known[event.member] = event.after

    def test_what_finds_no_room_on_the_disk_is_not_done_and_is_tried_again(self):
        members = [_Member(index) for index in range(3)]
        append = population_events.PopulationEvents.append
        told: list[int] = []

        def fail_at_first(events, event):
            if event.number == 7 and event.member == 1 and len(told) < 4:
                told.append(members[1].frames)
                raise population_events.PopulationEventsError("it is full")
            append(events, event)

        with (
            absltest.mock.patch.object(
                population_events.PopulationEvents, "append", fail_at_first
            ),
            self.assertLogs(level="ERROR") as logged,
        ):
            events = self._run(members, gap=1000.0)
        self.assertLen(told, 4)
        self.assertIn("member 1 waits: it is full", logged.output[0])
        for member in range(3):
            numbers = [each.number for each in events if each.member == member]
            self.assertEqual(numbers, list(range(61)))
        # What an event begins with is what the one before left.
        of_member = [each for each in events if each.member == 1]
        for before, after in itertools.pairwise(of_member):
            self.assertEqual(after.before, before.after)

    def test_goes_on_from_what_is_written(self):
        first = [_Member(index) for index in range(3)]
        stop = threading.Event()
        progress = first[0].progress

        def stop_halfway():
            if first[0].frames > _FRAMES / 2:
                stop.set()
            return progress()

        first[0].progress = stop_halfway
        before = self._run(first, stop)
        again = [_Member(index) for index in range(3)]
        for old, new in zip(first, again, strict=True):
            new.frames = old.frames
        after = self._run(again)
        self.assertEqual(after[: len(before)], before)
        self.assertLen(after, 3 * 61)
        for member in range(3):
            numbers = [each.number for each in after if each.member == member]
            self.assertEqual(numbers, list(range(61)))

    def test_turns_keep_the_others_waiting(self):
        members = [_Member(index) for index in range(4)]
        at_once = []
        last = members[-1].progress

        def count():
            at_once.append(
                sum(not each.paused and each.frames < _FRAMES for each in members)
            )
            return last()

        members[-1].progress = count
        self._run(members, at_once=1)
        self.assertEqual({each.frames for each in members}, {_FRAMES})
        # All run until the first turn is given.
        self.assertLessEqual(max(at_once[1:]), 1)

    def test_a_member_that_is_away_for_a_while_goes_on_as_it_was_told(self):
        members = [_Member(index) for index in range(3)]
        last: list[dict[str, float]] = []
        told: list[dict[str, float]] = []
        others: list[int] = []

        def die() -> None:
            last.append(members[1].hyperparameters)
            others.append(members[0].frames)
            members[1].die(questions_away=20, checkpoint_frames=30_000)

        evolve = members[1].evolve

        def evolve_and_remember(evolved: dict[str, float]) -> None:
            evolve(evolved)
            if members[1].life == 2:
                told.append(evolved)
                others.append(members[0].frames)

        members[1].evolve = evolve_and_remember
        _at(members[1], 50_000, die)
        restarts: list[list[int]] = []
        events = self._run(
            members, watch=lambda *seen: restarts.append(seen[3]), gap=1000.0
        )
        self.assertEqual(told[0], last[0])
        # They did not wait for it.
        self.assertGreater(others[1], others[0] + 15 * _STEP)
        # Its frames fell, but no event came again.
        numbers = [each.number for each in events if each.member == 1]
        self.assertEqual(numbers, list(range(61)))
        self.assertEqual({each.frames for each in members}, {_FRAMES})
        self.assertEqual(restarts[-1], [0, 1, 0])
        self.assertEqual(members[1].copies, 0)

    def test_a_member_without_a_checkpoint_becomes_a_copy_of_the_best(self):
        members = [_Member(index) for index in range(3)]
        _at(members[2], 5_000, lambda: members[2].die(3, 0))
        events = self._run(members, gap=1000.0)
        (position,) = (
            index
            for index, each in enumerate(events)
            if each.rule == population_controller.REPLACEMENT
        )
        replaced, before = events[position], events[:position]
        newest = {each.member: each.after for each in before}
        best = min((0, 1), key=lambda index: newest[index][population.WEIGHT])
        self.assertEqual((replaced.member, replaced.other), (2, best))
        self.assertTrue(replaced.copied)
        self.assertEqual(replaced.after, newest[best])
        self.assertEqual(replaced.frames, 0)
        self.assertEqual(members[2].content, [best])
        self.assertEqual(members[2].copies, 1)
        self.assertEqual({each.frames for each in members}, {_FRAMES})
        # The decisions that were due are all there, once.
        due = [each.number for each in events if each.member == 2 and each != replaced]
        self.assertEqual(due, list(range(61)))
        copied = population_events.ancestry(events)
        self.assertEqual(copied, [{"frames": 0, "member": 2, "copied": best}])

    def test_goes_on_after_a_replacement(self):
        members = [_Member(index) for index in range(2)]
        stop = threading.Event()
        _at(members[1], 50_000, lambda: members[1].die(1, 0))
        adopt = members[1].adopt

        def adopt_and_stop(weights: list[np.ndarray]) -> None:
            adopt(weights)
            stop.set()

        members[1].adopt = adopt_and_stop
        before = self._run(members, stop, gap=1000.0)
        self.assertIn(population_controller.REPLACEMENT, [each.rule for each in before])
        again = [_Member(index) for index in range(2)]
        again[0].frames = members[0].frames
        after = self._run(again, gap=1000.0)
        self.assertEqual(after[: len(before)], before)
        for member in range(2):
            numbers = [
                each.number
                for each in after
                if each.member == member
                and each.rule != population_controller.REPLACEMENT
            ]
            self.assertEqual(numbers, list(range(61)))

    def test_a_member_that_dies_of_its_checkpoint_becomes_a_copy(self):
        members = [_Member(index) for index in range(2)]
        for _ in range(3):
            _at(members[0], 40_000, lambda: members[0].die(1, 30_000))
        events = self._run(members, gap=1000.0)
        replaced = [
            each for each in events if each.rule == population_controller.REPLACEMENT
        ]
        # The first death had a new checkpoint; two more had none.
        self.assertLen(replaced, 1)
        self.assertEqual(replaced[0].statistics, {"restarts": 3.0})
        self.assertEqual(replaced[0].frames, 30_000)

    def test_a_member_that_dies_without_end_ends_the_run(self):
        members = [_Member(index) for index in range(2)]
        for _ in range(20):
            _at(members[0], 1_000, lambda: members[0].die(1, 0))
        with self.assertRaisesRegex(
            population_member.MemberLostError, "^member 0 has died 6 times[^\n]*$"
        ):
            self._run(members)

    def test_a_member_that_comes_back_waits_for_its_turn_again(self):
        members = [_Member(index) for index in range(3)]
        pause = members[2].pause

        def pause_and_die(paused: bool) -> None:
            pause(paused)
            if paused and members[2].life == 1 and members[2].frames > 20_000:
                members[2].die(2, members[2].frames)
                members[2].pauses = []

        members[2].pause = pause_and_die
        self._run(members, at_once=1)
        self.assertEqual(members[2].life, 2)
        self.assertTrue(members[2].pauses[0])
        self.assertEqual({each.frames for each in members}, {_FRAMES})


_CONFIG = PopulationConfig(size=2, events=60)
_CHANGES = (0.0, math.log(_CONFIG.weight_factor), math.log(_CONFIG.other_factor))


if __name__ == "__main__":
    absltest.main()
