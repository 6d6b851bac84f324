"""The controller with members whose fitness is a function of their hyperparameters."""

import math
import threading

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting import population, population_controller, population_events
from kickstarting.config import Config, KickstartingConfig
from kickstarting.population_config import PopulationConfig

_TASK = "doom:basic"
_FRAMES = 100_000
_STEP = 500


class _Member:
    """Learns `_STEP` frames each time that it is asked how far it is."""

    def __init__(self, name: float) -> None:
        self.content = np.array([name])
        self.frames = 0
        self.paused = False
        self.hyperparameters: dict[str, float] = {}
        self.copies = 0

    def progress(self) -> population_controller.Progress:
        if not self.paused:
            self.frames = min(self.frames + _STEP, _FRAMES)
        # The less advice, the better.
        score = -20.0 * math.log10(self.hyperparameters[population.WEIGHT])
        return population_controller.Progress(
            self.frames, population.Fitness(score, 1.0, 50.0)
        )

    def evolve(self, evolved: dict[str, float]) -> None:
        self.hyperparameters = evolved

    def weights(self) -> list[np.ndarray]:
        return [self.content]

    def adopt(self, weights: list[np.ndarray]) -> None:
        self.content = weights[0].copy()
        self.copies += 1

    def pause(self, paused: bool) -> None:
        self.paused = paused


class PopulationControllerTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.logdir = self.create_tempdir().full_path
        self.enter_context(
            absltest.mock.patch.object(population_controller, "_POLL_SECONDS", 0.0)
        )

    def _run(
        self, members: list[_Member], stop: threading.Event | None = None, **changed
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
        population_controller.PopulationController(config, members, events).run(
            stop or threading.Event()
        )
        return population_events.PopulationEvents(self.logdir).events

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


_FACTOR = PopulationConfig(size=2, events=60).resolved_perturb_factor
_CHANGES = (0.0, math.log(_FACTOR))


if __name__ == "__main__":
    absltest.main()
