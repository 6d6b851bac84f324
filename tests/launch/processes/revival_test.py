"""What fails begins again; what fails again and again does not."""

import threading

from absl.testing import absltest

from launch.monitoring import achievements
from launch.processes import restarts, revival


class KeepGoingTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(
            absltest.mock.patch.object(revival, "_FIRST_DELAY_SECONDS", 0.01)
        )
        self.logdir = f"{self.create_tempdir().full_path}/run"
        self.stop = threading.Event()
        self.lives = 0

    def _work(
        self,
        fails: int,
        error: type[Exception] = ValueError,
        done: achievements.Done | None = None,
    ) -> None:
        def work() -> None:
            self.lives += 1
            if self.lives <= fails:
                raise error(f"life {self.lives}")

        hopeless = (KeyError,)
        revival.keep_going(self.logdir, "node/0", work, self.stop, hopeless, done)

    def test_what_fails_begins_again_and_says_so_in_one_line(self):
        with self.assertLogs(level="WARNING") as logged:
            self._work(fails=3)
        self.assertEqual(self.lives, 4)
        self.assertLen(logged.output, 3)
        failed = "run's node/0 failed and begins again: ValueError('life 1')"
        self.assertIn(failed, str(logged))
        reasons = [each.reason for each in restarts.read(self.logdir)]
        self.assertEqual(reasons, [f"ValueError('life {life}')" for life in (1, 2, 3)])

    def test_what_fails_again_and_again_is_given_up(self):
        with self.assertRaisesRegex(ValueError, f"life {revival.MOST_ENDS}$"):
            self._work(fails=100)

    def test_a_long_life_is_a_new_beginning(self):
        with absltest.mock.patch.object(revival, "_LONG_LIFE_SECONDS", -1.0):
            self._work(fails=3 * revival.MOST_ENDS)
        self.assertEqual(self.lives, 3 * revival.MOST_ENDS + 1)

    def test_a_long_life_without_progress_is_none(self):
        with (
            absltest.mock.patch.object(revival, "_LONG_LIFE_SECONDS", -1.0),
            self.assertRaisesRegex(ValueError, f"life {revival.MOST_ENDS}$"),
        ):
            self._work(fails=100, done=lambda: 7.0)

    def test_progress_is_a_new_beginning(self):
        self._work(fails=3 * revival.MOST_ENDS, done=lambda: float(self.lives))
        self.assertEqual(self.lives, 3 * revival.MOST_ENDS + 1)

    def test_what_is_hopeless_is_not_tried_again(self):
        with self.assertRaises(KeyError):
            self._work(fails=100, error=KeyError)
        self.assertEqual(self.lives, 1)

    def test_nothing_begins_again_when_the_program_stops(self):
        def work() -> None:
            self.stop.set()
            raise ValueError("the others are gone")

        with self.assertRaisesRegex(ValueError, "the others are gone"):
            revival.keep_going(self.logdir, "node/0", work, self.stop)


class PatienceTest(absltest.TestCase):
    def test_the_delay_doubles_up_to_a_longest(self):
        patience = revival.Patience()
        delays = [patience.after_end() for _ in range(10)]
        self.assertEqual(delays, [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30])

    def test_it_ends(self):
        patience = revival.Patience(most_ends=3)
        delays = [patience.after_end() for _ in range(3)]
        self.assertEqual(delays, [0.5, 1.0, None])

    def test_a_little_progress_is_none_until_it_adds_up(self):
        done = iter(range(100))
        patience = revival.Patience(3, lambda: float(next(done)), least=2.0)
        delays = [patience.after_end() for _ in range(6)]
        self.assertEqual(delays, [0.5, 0.5, 1.0, 0.5, 1.0, 0.5])


if __name__ == "__main__":
    absltest.main()
