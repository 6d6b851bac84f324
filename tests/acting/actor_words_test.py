"""Tests of what an actor says that it does."""

from unittest import mock

import numpy as np
from absl.testing import absltest

from kickstarting.acting import actor_words

_TASKS = ("a:1", "a:2", "a:1", "a:2")


class DoingTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.now = 100.0
        patch = mock.patch.object(actor_words.time, "monotonic", lambda: self.now)
        patch.start()
        self.addCleanup(patch.stop)
        self.doing = actor_words.Doing(_TASKS, self.now)

    def test_before_and_while_it_acts(self):
        self.assertEqual(self.doing.words(0), "compiles its policy")
        self.doing.act()
        self.assertEqual(self.doing.words(12345), "acts (12,345 agent steps so far)")

    def test_environments_that_take_long(self):
        self.doing.act()
        self.now += 30
        self.assertEqual(
            self.doing.words(0),
            "has waited for 4 of its 4 environments (a:1, a:2) for 30 seconds, of "
            "which 4 have given nothing yet",
        )
        self.doing.took(np.array([0, 2, 3]))
        self.doing.asked(np.array([2]))
        self.now += 60
        self.assertEqual(
            self.doing.words(0),
            "has waited for 2 of its 4 environments (a:2, a:1) for 90 seconds, of "
            "which 1 have given nothing yet",
        )

    def test_unrolls_that_are_not_sent(self):
        self.doing.act()
        self.doing.took(np.arange(4))
        self.doing.hold(np.array([1, 2]))
        self.now += 30
        self.assertEqual(
            self.doing.words(0),
            "waits until unrolls of 2 of its 4 environments are sent",
        )


if __name__ == "__main__":
    absltest.main()
