"""Tests of what is said of a run's tasks before it begins."""

from absl.testing import absltest

from kickstarting.config import run as config_lib
from kickstarting.ring import checks


class CheckTasksTest(absltest.TestCase):
    def test_names_what_the_student_does_not_see_once_a_task(self) -> None:
        tasks = ("gym:MiniGrid-Empty-5x5-v0", "gym:MiniGrid-Empty-6x6-v0")
        config = config_lib.Config(tasks=tasks, logdir="unused", action_repeat=1)
        for _ in range(2):
            with self.assertLogs("absl", "WARNING") as logs:
                checks.check_tasks(config)
            said = [record.getMessage() for record in logs.records]
            self.assertEqual(
                said,
                [
                    f"{task} shows more than the student sees: 'direction' is left out"
                    for task in tasks
                ],
            )


if __name__ == "__main__":
    absltest.main()
