"""What the learner's node of a member does beside training."""

import threading
import time
from collections.abc import Callable

import numpy as np
from absl.testing import absltest

from kickstarting.config import run as config_lib
from kickstarting.learning import skipped_updates
from launch.monitoring import node_reports
from launch.nodes import learner_lives, member_learner
from launch.processes import restarts
from tests import small_ring
from tests.launch import full_queue

_SECONDS = 60
_FRAMES = full_queue.NUM_UPDATES * full_queue.FRAMES_PER_UPDATE


def setUpModule():
    small_ring.compile_quickly()


class MemberLearnerNodeTest(full_queue.LearnerNodeTestCase):
    def setUp(self):
        super().setUp()
        config = self._config(population=config_lib.PopulationConfig(size=2))
        self.node = member_learner.MemberLearnerNode(
            config, full_queue.NO_RETURNS, self.queue
        )
        self.running = threading.Thread(target=self.node.run)

    def tearDown(self):
        self.stop.set()
        self.running.join(_SECONDS)
        self.assertFalse(self.running.is_alive())
        super().tearDown()

    def _wait_for(self, happens: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _SECONDS
        while not happens():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def test_it_serves_the_controller_until_the_program_ends(self):
        self.running.start()
        self._wait_for(lambda: self.node.progress().frames == _FRAMES)
        weights = self.node.weights()
        progress = self.node.progress()
        self.assertEqual((progress.copies, progress.kept_copies), (0, 0))
        self.node.adopt([np.zeros_like(leaf) for leaf in weights])
        progress = self.node.progress()
        self.assertEqual((progress.copies, progress.kept_copies), (1, 0))
        # But the number of updates, which must not fall.
        self.assertLen([leaf for leaf in self.node.weights() if np.any(leaf)], 1)
        self.assertTrue(self.running.is_alive())
        self.assertFalse(node_reports.read(self.logdir).has_ended)
        self.stop.set()
        self.running.join(_SECONDS)
        self.assertTrue(node_reports.read(self.logdir).has_ended)
        # That is for the controller.
        self.assertEqual(self.stops, 0)

    def test_one_that_has_failed_is_told_nothing_and_goes_on(self):
        self._fail_at(2, skipped_updates.LossError("not finite"))
        may_go_on = threading.Event()
        make = learner_lives.LearnerLives._make
        made = []

        def make_later(lives: learner_lives.LearnerLives, sources_go_on: bool) -> None:
            if made:
                may_go_on.wait(_SECONDS)
            make(lives, sources_go_on)
            made.append(lives.learner.life)

        self.enter_context(
            absltest.mock.patch.object(learner_lives.LearnerLives, "_make", make_later)
        )
        self.running.start()
        self._wait_for(lambda: restarts.read(self.logdir))
        self.assertIsNone(self.node.parameters(-1))
        for call, arguments in (
            (self.node.progress, ()),
            (self.node.weights, ()),
            (self.node.evolve, ({"learning_rate": 1e-4},)),
            (self.node.adopt, ([],)),
            (self.node.pause, (True,)),
        ):
            with self.assertRaisesRegex(RuntimeError, "the learner has failed"):
                call(*arguments)
        may_go_on.set()
        self._wait_for(lambda: len(self.node.parameters(-1) or ()) == 3)
        self._wait_for(lambda: self.node.progress().frames == _FRAMES)
        self.assertNotEqual(self.node.progress().life, made[0])
        self.assertLen(restarts.read(self.logdir), 1)


if __name__ == "__main__":
    absltest.main()
