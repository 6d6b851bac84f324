"""A learner that fails, and the one after it, on a real queue."""

import threading
from typing import Any

from absl.testing import absltest

from launch.nodes import learner_lives
from launch.processes import restarts
from tests import small_ring
from tests.launch import full_queue


def setUpModule():
    small_ring.compile_quickly()


class LearnerLivesTest(full_queue.FullQueueTestCase):
    def _lives(self, **fields: Any) -> learner_lives.LearnerLives:
        lives = learner_lives.LearnerLives(
            self._config(**fields), full_queue.NO_RETURNS, self.queue, self.stop
        )
        self.addCleanup(lives.close)
        self.assertTrue(lives.is_between)
        lives.begin()
        # The queue's server would wait for who still reads.
        self.addCleanup(lambda: lives.learner.wait_for_reader(threading.Event()))
        return lives

    def test_the_next_one_goes_on_where_one_has_failed(self):
        self._fail_at(4, ValueError("one update"))
        lives = self._lives()
        first, telemetry = lives.learner, lives.telemetry
        telemetry.report("actor/0", counters={"agent_steps": 100}, gauges={})
        lives.learn(hopeless=(KeyError,))
        self.assertIsNot(lives.learner, first)
        frames = full_queue.FRAMES_PER_UPDATE
        self.assertEqual(lives.learner.restored_frames, 3 * frames)
        self.assertEqual(lives.learner.frames, full_queue.NUM_UPDATES * frames)
        self.assertFalse(lives.is_between)
        (restart,) = restarts.read(self.logdir)
        self.assertEqual(restart.reason, "ValueError('one update')")
        # Another telemetry, in which nothing is counted twice.
        self.assertIsNot(lives.telemetry, telemetry)
        for steps in (130, 150):
            lives.telemetry.report(
                "actor/0", counters={"agent_steps": steps}, gauges={}
            )
        self.assertEqual(lives.telemetry.row()["agent_steps"], 120)

    def test_what_is_hopeless_is_the_end(self):
        self._fail_at(4, KeyError("one update"))
        lives = self._lives()
        first = lives.learner
        with self.assertRaises(KeyError):
            lives.learn(hopeless=(KeyError,))
        self.assertIs(lives.learner, first)
        self.assertTrue(lives.is_between)

    def test_in_lockstep_there_is_one(self):
        self._fail_at(4, ValueError("one update"))
        with self.assertRaisesRegex(ValueError, "one update"):
            self._lives(lockstep=True).learn(hopeless=())
        self.assertEmpty(restarts.read(self.logdir))


if __name__ == "__main__":
    absltest.main()
