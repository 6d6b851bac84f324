"""Tests of what is said of a run's tasks before it begins."""

import math
from unittest import mock

import gymnasium
import numpy as np
from absl.testing import absltest

from kickstarting.config import run as config_lib
from kickstarting.environments.stepping import asking
from kickstarting.ring import checks

_BOX = gymnasium.spaces.Box


class _Moving(gymnasium.Env):
    """Shows a grid, and beside it how fast it moves; nobody plays it."""

    observation_space = gymnasium.spaces.Dict(
        image=_BOX(0, 255, (7, 7, 3), np.uint8), speed=_BOX(-1, 1, (4,), np.float32)
    )
    action_space = gymnasium.spaces.Discrete(2)


# Looked at in a process of its own, which imports this file.
_TASK = "gym:tests.ring.checks_test:Moving-v0"
gymnasium.register("Moving-v0", _Moving)


class UnusedTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        # On a busy machine a look may take that long.
        patch = mock.patch.object(asking, "_SECONDS_TO_TELLING", math.inf)
        patch.start()
        self.addCleanup(patch.stop)

    def test_names_once_what_the_student_does_not_see(self) -> None:
        config = config_lib.Config(tasks=(_TASK,), logdir="unused", action_repeat=1)
        with self.assertNoLogs("absl", "WARNING"):
            spec = checks.check_tasks(config)
        with self.assertLogs("absl", "WARNING") as logs:
            checks.tell_unused(spec)
            checks.tell_unused(spec)
        self.assertEqual(
            [record.getMessage() for record in logs.records],
            ["The tasks show more than the student sees: 'speed' is left out"],
        )

    def test_says_nothing_of_a_direction_that_a_view_turns_by(self) -> None:
        tasks = ("gym:MiniGrid-Empty-5x5-v0",)
        config = config_lib.Config(tasks=tasks, logdir="unused", action_repeat=1)
        with self.assertNoLogs("absl", "WARNING"):
            checks.tell_unused(checks.check_tasks(config))


if __name__ == "__main__":
    absltest.main()
