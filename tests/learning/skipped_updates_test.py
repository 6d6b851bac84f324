"""Updates that were not taken: counted, and no more than so many in a row."""

from absl.testing import absltest

from kickstarting.learning import skipped_updates


class SkippedUpdatesTest(absltest.TestCase):
    def test_each_is_counted_and_the_first_is_told(self):
        skipped = skipped_updates.SkippedUpdates()
        with self.assertLogs(level="WARNING") as logs:
            for frames in (10, 20, 30):
                skipped.record(frames > 10, frames)
        self.assertEqual(skipped.total, 2)
        self.assertLen(logs.output, 1)
        self.assertIn("The update at 20 frames was not taken", logs.output[0])

    def test_too_many_in_a_row_end_it(self):
        skipped = skipped_updates.SkippedUpdates()
        for _ in range(2):
            for _ in range(skipped_updates.MOST_IN_A_ROW - 1):
                skipped.record(True, 100)
            skipped.record(False, 100)
        for _ in range(skipped_updates.MOST_IN_A_ROW - 1):
            skipped.record(True, 100)
        with self.assertRaisesRegex(
            skipped_updates.LossError, "last 50 updates before 900 frames"
        ):
            skipped.record(True, 900)


if __name__ == "__main__":
    absltest.main()
