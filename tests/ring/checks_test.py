"""Tests of what is said of a run's tasks before it begins."""

from absl.testing import absltest

from kickstarting.config import run as config_lib
from kickstarting.ring import checks


class UnusedTest(absltest.TestCase):
    def test_names_once_what_the_student_does_not_see(self) -> None:
        tasks = ("gym:MiniGrid-Empty-5x5-v0", "gym:MiniGrid-Empty-6x6-v0")
        config = config_lib.Config(tasks=tasks, logdir="unused", action_repeat=1)
        with self.assertNoLogs("absl", "WARNING"):
            spec = checks.check_tasks(config)
        with self.assertLogs("absl", "WARNING") as logs:
            checks.tell_unused(spec)
            checks.tell_unused(spec)
        self.assertEqual(
            [record.getMessage() for record in logs.records],
            ["The tasks show more than the student sees: 'direction' is left out"],
        )

    def test_is_silent_where_it_sees_everything(self) -> None:
        config = config_lib.Config(tasks=("doom:basic",), logdir="unused")
        with self.assertNoLogs("absl", "WARNING"):
            checks.tell_unused(checks.check_tasks(config))


if __name__ == "__main__":
    absltest.main()
