"""How the learner's node of a single run ends."""

from absl.testing import absltest

from kickstarting.learning import skipped_updates
from launch.monitoring import node_reports
from launch.nodes import learner as learner_node
from launch.processes import restarts
from tests import small_ring
from tests.launch import full_queue


def setUpModule():
    small_ring.compile_quickly()


class LearnerNodeTest(full_queue.LearnerNodeTestCase):
    def _node(self) -> learner_node.LearnerNode:
        return learner_node.LearnerNode(
            self._config(), full_queue.NO_RETURNS, self.queue
        )

    def test_the_run_is_done_and_the_program_is_stopped(self):
        node = self._node()
        node.run()
        self.assertEqual(self.stops, 1)
        version, _, _ = node.parameters(-1)
        self.assertEqual(version, full_queue.NUM_UPDATES)

    def test_the_program_is_stopped_and_the_folder_says_so(self):
        node = self._node()
        self.stop.set()
        node.run()
        self.assertEqual(self.stops, 0)
        self.assertTrue(node_reports.read(self.logdir).has_ended)

    def test_what_would_happen_again_ends_the_run(self):
        self._fail_at(2, skipped_updates.LossError("not finite"))
        node = self._node()
        with self.assertRaises(skipped_updates.LossError):
            node.run()
        self.assertEqual(self.stops, 0)
        self.assertEmpty(restarts.read(self.logdir))
        # Actors keep what they have.
        self.assertIsNone(node.parameters(-1))


if __name__ == "__main__":
    absltest.main()
