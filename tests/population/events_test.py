"""The events' file survives its writer, and tells who came from whom."""

import itertools
import math
import os

from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from kickstarting.population import events as population_events

_LR = "learning_rate"
_MEMBERS = st.integers(0, 3)


def _event(member: int, number: int, value: float, other: int | None = None):
    return population_events.Event(
        number=number,
        member=member,
        frames=1000 * number,
        other=other,
        copied=other is not None,
        rule="score_gap",
        statistics={"gap": 6.0},
        fitness=10.0,
        other_fitness=None if other is None else 16.0,
        before={_LR: value / 2},
        after={_LR: value},
    )


class PopulationEventsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.create_tempdir().full_path, "run")

    def test_what_was_written_is_read(self):
        written = population_events.PopulationEvents(self.folder)
        for event in (_event(0, 0, 1.0), _event(1, 0, 2.0), _event(1, 1, 3.0, other=0)):
            written.append(event)
        read = population_events.PopulationEvents(self.folder)
        self.assertEqual(read.events, written.events)
        self.assertEqual(read.newest(), {0: _event(0, 0, 1.0), 1: _event(1, 1, 3.0, 0)})

    def test_half_a_line_is_cut_off(self):
        written = population_events.PopulationEvents(self.folder)
        written.append(_event(0, 0, 1.0))
        path = os.path.join(self.folder, population_events.EVENTS_FILE)
        with open(path, "a") as file:
            file.write('{"number": 1, "mem')
        read = population_events.PopulationEvents(self.folder)
        self.assertEqual(read.events, [_event(0, 0, 1.0)])
        read.append(_event(0, 1, 2.0))
        self.assertLen(population_events.PopulationEvents(self.folder).events, 2)

    def test_what_is_no_event_is_refused_in_one_line(self):
        os.makedirs(self.folder)
        path = os.path.join(self.folder, population_events.EVENTS_FILE)
        for line in ("[]", '{"number": 1}', "\udcff"):
            with open(path, "w", errors="surrogateescape") as file:
                file.write(line + "\n")
            with self.assertRaisesRegex(
                population_events.PopulationEventsError, "line 1 is no event"
            ):
                population_events.PopulationEvents(self.folder)

    def test_a_folder_that_is_a_file_is_refused(self):
        path = self.create_tempfile().full_path
        with self.assertRaises(population_events.PopulationEventsError):
            population_events.PopulationEvents(path)


class LineageTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        # 2 copies 1 at its second event, which copied 0 at its first.
        self.events = [
            *(_event(member, 0, 1.0 + member) for member in range(3)),
            _event(0, 1, 10.0),
            _event(1, 1, 11.0, other=0),
            _event(2, 1, 12.0),
            _event(0, 2, 20.0),
            _event(1, 2, 21.0),
            _event(2, 2, 22.0, other=1),
        ]

    def test_a_trace_follows_the_copied_ones_back(self):
        self.assertEqual(
            population_events.trace(self.events, 2, _LR),
            [(0, 1.0), (1000, 10.0), (1000, 11.0), (2000, 21.0), (2000, 22.0)],
        )
        self.assertEqual(
            population_events.trace(self.events, 0, _LR),
            [(0, 1.0), (1000, 10.0), (2000, 20.0)],
        )

    def test_stretches_are_the_members_that_trained(self):
        self.assertEqual(
            population_events.stretches(self.events, 2),
            [
                population_events.Stretch(2, 2000, math.inf),
                population_events.Stretch(1, 1000, 2000),
                population_events.Stretch(0, -math.inf, 1000),
            ],
        )

    def test_what_was_ahead_when_it_was_copied_is_left_out(self):
        # 1 copies 0 after 3000 frames, and 2 copies 1 while 2 is at 2000.
        events = [
            *(_event(member, 0, 1.0 + member) for member in range(3)),
            _event(1, 3, 11.0, other=0),
            _event(2, 2, 22.0, other=1),
        ]
        self.assertEqual(
            population_events.stretches(events, 2),
            [
                population_events.Stretch(2, 2000, math.inf),
                population_events.Stretch(0, -math.inf, 2000),
            ],
        )
        self.assertEqual(
            population_events.trace(events, 2, _LR),
            [(0, 1.0), (2000, 11.0), (2000, 22.0)],
        )

    @settings(deadline=None)
    @given(st.lists(st.tuples(_MEMBERS, _MEMBERS, st.integers(0, 3)), max_size=30))
    def test_a_lineage_is_one_run_whoever_was_ahead(self, decisions):
        numbers = dict.fromkeys(range(4), 0)
        events = [_event(member, 0, 1.0) for member in numbers]
        for member, other, steps in decisions:
            numbers[member] += steps
            copied = None if other == member else other
            events.append(_event(member, numbers[member], 2.0, copied))
        for member in numbers:
            frames, _ = zip(*population_events.trace(events, member, _LR), strict=True)
            self.assertSequenceEqual(frames, sorted(frames))
            found = population_events.stretches(events, member)
            self.assertEqual(found[0].until, math.inf)
            self.assertEqual(found[-1].after, -math.inf)
            for newer, older in itertools.pairwise(found):
                self.assertEqual(newer.after, older.until)
                self.assertLess(newer.after, newer.until)

    def test_ancestry_has_the_copies(self):
        self.assertEqual(
            population_events.ancestry(self.events),
            [
                {"frames": 1000, "member": 1, "copied": 0},
                {"frames": 2000, "member": 2, "copied": 1},
            ],
        )


if __name__ == "__main__":
    absltest.main()
