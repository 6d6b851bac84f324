"""The learner's windows: passes over them, what they publish, and their end."""

import dataclasses
from unittest import mock

import numpy as np
from absl.testing import absltest

from kickstarting.reporting import row_average
from tests import learner_case, small_ring


def setUpModule():
    small_ring.compile_quickly()


class LearnerWindowTest(learner_case.LearnerTestCase):
    def test_a_window_is_passed_over_and_its_frames_count_once(self):
        made = self._run(
            dataclasses.replace(learner_case.CONFIG, window_batches=2, passes=3)
        )
        self.assertEqual(made.frames, learner_case.CONFIG.total_frames)
        self.assertLen(self.update.seen, 3 * learner_case.NUM_UPDATES)
        self.assertEqual(made.parameters(-1)[0], 3 * learner_case.NUM_UPDATES)
        # λ goes by frames, which only the first pass counts.
        expected = [2.0, 2.0] + 5 * [1.625] + [1.25]
        np.testing.assert_allclose(self._weights()[: len(expected)], expected)
        self.assertLessEqual(self._rows()["replay_ratio"].max(), 3.0)
        self.assertGreater(self._rows()["replay_ratio"].max(), 1.0)

    def test_where_acting_takes_turns_a_window_publishes_once(self):
        for synchronous, expected in ((True, [0] * 6 + [6] * 6), (False, range(12))):
            self.logdir = self.create_tempdir().full_path
            made = self._make(
                dataclasses.replace(
                    learner_case.CONFIG,
                    window_batches=2,
                    passes=3,
                    synchronous=synchronous,
                )
            )
            published = []
            self.update.before = lambda made=made, published=published: (
                published.append(made.parameters(-1)[0])
            )
            made.run(self.update.stop)
            self.assertSequenceEqual(published[:12], list(expected))
            self.assertEqual(made.parameters(-1)[0], 3 * learner_case.NUM_UPDATES)

    def test_values_are_held_through_all_passes_over_a_window(self):
        run = dataclasses.replace(learner_case.CONFIG, window_batches=2, passes=3)
        self._run(run)
        self.assertEqual(self.update.held, [None] * 3 * learner_case.NUM_UPDATES)

        self.logdir = self.create_tempdir().full_path
        loss = dataclasses.replace(run.loss, held_values=True)
        self._run(dataclasses.replace(run, loss=loss))
        held = [np.asarray(values) for values in self.update.held]
        self.assertLen(held, 3 * learner_case.NUM_UPDATES)
        first = np.concatenate(held[:2])
        steps = learner_case.CONFIG.unroll_length + 1
        self.assertEqual(first.shape, (2, learner_case.CONFIG.batch_size, steps))
        for number in (2, 4):
            of_pass = np.concatenate(held[number : number + 2])
            # Dealt anew: the same rows for each place, in another order.
            np.testing.assert_array_equal(np.sort(of_pass, 0), np.sort(first, 0))
        self.assertFalse(np.array_equal(np.sort(held[6:8], 0), np.sort(held[:2], 0)))

    def test_a_window_of_one_batch_changes_nothing(self):
        whole = self._run()
        self.logdir = self.create_tempdir().full_path
        windowed = self._run(
            dataclasses.replace(learner_case.CONFIG, window_batches=1, passes=1)
        )
        np.testing.assert_array_equal(
            windowed.parameters(-1)[1], whole.parameters(-1)[1]
        )

    def test_the_last_window_takes_what_is_left_of_the_frames(self):
        made = self._run(
            dataclasses.replace(learner_case.CONFIG, window_batches=5, passes=2)
        )
        self.assertEqual(made.frames, learner_case.CONFIG.total_frames)
        self.assertLen(self.update.seen, 2 * learner_case.NUM_UPDATES)

    def test_each_row_has_more_frames_than_the_one_before(self):
        with mock.patch.object(row_average, "period", return_value=0.0):
            self._run(
                dataclasses.replace(learner_case.CONFIG, window_batches=4, passes=3)
            )
        # What the first update found is read while the second is computed.
        np.testing.assert_array_equal(self._rows()["frames"], 16 * np.arange(2, 9))

    def test_a_stop_in_a_window_ends_it(self):
        run = dataclasses.replace(learner_case.CONFIG, window_batches=2, passes=3)
        made = self._run(run, stop_after=4)
        self.assertLen(self.update.seen, 4)
        self.assertEqual(made.frames, 2 * 16)
        self.assertEqual(self._make(run).frames, 2 * 16)


if __name__ == "__main__":
    absltest.main()
