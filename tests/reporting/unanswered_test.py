"""Tests of reporting/unanswered.py."""

import math

from absl.testing import absltest

from kickstarting.reporting import unanswered


def _row(**answers: tuple[int, int]) -> dict[str, float]:
    """Returns the totals of teachers: (asked, without advice)."""
    row: dict[str, float] = {"frames": 7.0, "unanswered_unrolls": 99.0}
    for teacher, (asked, missing) in answers.items():
        row[f"asked_unrolls/{teacher}"] = asked
        row[f"unanswered_unrolls/{teacher}"] = missing
    return row


class AdviceTest(absltest.TestCase):
    def test_only_who_leaves_most_unanswered_is_named(self):
        advice = unanswered.of_teachers(_row(a=(10, 5), b=(10, 6), c=(1000, 1000)))
        self.assertEqual(
            unanswered.in_words(advice),
            "teacher 'b' gave no advice on 60% of 10 unrolls; "
            "teacher 'c' gave no advice on 100% of 1,000 unrolls",
        )
        self.assertFalse(unanswered.never_taught(advice))
        self.assertEqual(unanswered.briefly(advice), "little advice from b and 1 more")
        self.assertEqual(unanswered.briefly(advice[:1]), "")
        self.assertEqual(unanswered.in_words(advice[:1]), "")

    def test_what_was_wrong_is_said(self):
        row = _row(a=(10, 10)) | {
            "not_finite_answers/a": 8.0,
            "failed_answers/a": 2.0,
            "failed_answers/b": 3.0,
        }
        self.assertEndsWith(
            unanswered.in_words(unanswered.of_teachers(row)),
            "of 10 unrolls (answers: 2 failed, 8 not finite)",
        )

    def test_who_was_never_asked_is_not_spoken_of(self):
        row = _row(a=(0, 0)) | {"asked_unrolls/b": math.nan}
        self.assertEmpty(unanswered.of_teachers(row))
        self.assertFalse(unanswered.never_taught([]))

    def test_a_student_whose_every_teacher_failed_was_never_taught(self):
        advice = unanswered.of_teachers(_row(a=(10, 6), b=(4, 4)))
        self.assertTrue(unanswered.never_taught(advice))


class WatchTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        # What a run that goes on has counted before is over.
        self.row, self.now = _row(a=(1000, 1000)), 100.0
        self.watch = unanswered.Watch(lambda: self.row, lambda: self.now)

    def test_it_is_of_the_last_minute(self):
        self.row, self.now = _row(a=(1100, 1010)), 160.0
        with self.assertNoLogs("absl", "WARNING"):
            self.watch.tell()
        self.row, self.now = _row(a=(1200, 1110), b=(2, 0)), 219.0
        with self.assertNoLogs("absl", "WARNING"):
            self.watch.tell()
        self.now = 225.0
        with self.assertLogs("absl", "WARNING") as logs:
            self.watch.tell()
        self.assertEqual(
            [record.getMessage() for record in logs.records],
            [
                "Advice is missing: in the last 1m 05s teacher 'a' gave no advice on "
                "100% of 100 unrolls."
            ],
        )

    def test_at_the_end_it_is_of_what_is_left(self):
        self.row, self.now = _row(a=(1100, 1100)), 105.0
        with self.assertLogs("absl", "WARNING"):
            self.watch.tell(is_last=True)

    def test_where_nobody_is_asked_there_is_nothing_to_say(self):
        watch = unanswered.Watch(lambda: _row(), lambda: 0.0)
        with self.assertNoLogs("absl", "WARNING"):
            watch.tell(is_last=True)


if __name__ == "__main__":
    absltest.main()
