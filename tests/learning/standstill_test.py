"""Tests of what is told of a run that stands still, when, and when it ends."""

import threading
from unittest import mock

from absl import logging
from absl.testing import absltest

from kickstarting.learning import standstill
from tests import learner_case

_MINUTE = 60.0


class StandstillTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.now = 1000.0
        self.still = standstill.Standstill(
            "a run", ["actor/0", "actor/1"], 30.0, lambda: self.now
        )

    def _told(self, minutes: int) -> list[str]:
        """Lets so many minutes go by, telling each second; returns what was told."""
        told = []

        def warn(text: str, *values: object) -> None:
            told.append(text % values)

        with mock.patch.object(logging, "warning", warn):
            for _ in range(int(minutes * _MINUTE)):
                self.now += 1
                self.still.tell()
        return told

    def test_after_two_minutes_it_says_who_does_what_and_then_now_and_then(self):
        self.assertEmpty(self._told(1))
        self.still.hear("actor/1", "waits for a miracle")
        told = self._told(2)
        self.assertLen(told, 1)
        self.assertRegex(
            told[0],
            r"^a run: no first update after 2\.. minutes: the learner waits for "
            r"unrolls; actor/0 has said nothing yet; actor/1 waits for a miracle "
            r"\(said 6. seconds ago\)\. It may last 30, standstill_minutes\.$",
        )
        self.assertLen(self._told(9), 3)

    def test_later_on_as_well(self):
        for _ in range(10):
            self.assertEmpty(self._told(1))
            self.still.updated()
        self.still.begins_update()
        (told,) = self._told(3)
        self.assertIn("no update for 2.0 minutes: the learner makes an update;", told)

    def test_the_end_comes_after_its_minutes_of_unwanted_rest_alone(self):
        self.now += 29 * _MINUTE
        self.still.check()
        self.still.rest()
        self.now += 29 * _MINUTE
        self.still.check()
        self.now += 2 * _MINUTE
        with self.assertRaisesRegex(
            standstill.StandstillError, r"31\.0 minutes: .*; standstill_minutes \(30\)"
        ):
            self.still.check()

    def test_of_many_parts_it_names_some(self):
        parts = [f"actor/{index}" for index in range(100)]
        words = standstill.Standstill("a run", parts, 1.0).words()
        self.assertEqual(words.count("actor/"), 4)
        self.assertEndsWith(words, "; and 96 more")


class LearnerTest(learner_case.LearnerTestCase):
    def _stands_still(self, num_batches: int) -> str:
        """Runs a learner until its batches stop coming; returns what it fails with."""

        def stream():
            yield from map(learner_case.batch_of, range(num_batches))
            self.is_over.wait()

        made = self._make(batches=stream)
        made._standstill._most_minutes = 2 / 60
        made.report("actor/0", {}, {}, None, "waits for a miracle")
        with self.assertRaises(standstill.StandstillError) as caught:
            made.run(threading.Event())
        self.assertEqual(made.frames, 16 * num_batches)
        return str(caught.exception)

    def test_without_a_first_batch_it_ends(self):
        said = self._stands_still(0)
        self.assertRegex(said, "^no first update .* actor/0 waits for a miracle")
        self.assertNotIn("\n", said)

    def test_where_no_more_come_what_was_learned_is_kept(self):
        self.assertRegex(self._stands_still(3), "^no update for")
        self.assertEqual(self._make().frames, 48)

    def test_the_first_update_may_have_to_be_compiled(self):
        said = []
        made = self._make(stop_after=2)
        self.update.before = lambda: said.append(made._standstill.words())
        made.run(self.update.stop)
        first, second = said
        self.assertIn("first update, which may have to be compiled", first)
        self.assertIn("the learner makes an update;", second)

    def test_a_pause_is_none(self):
        made = self._make(stop_after=2)
        made._standstill._most_minutes = 2 / 60
        made.pause(True)
        timer = threading.Timer(4.0, made.pause, (False,))
        timer.start()
        made.run(self.update.stop)
        self.assertEqual(made.frames, 32)


if __name__ == "__main__":
    absltest.main()
