"""An actor that stops leaves no call to its learner behind."""

import gc
import threading

import courier
from absl.testing import absltest

from launch.nodes import actor


class LearnerTest(absltest.TestCase):
    def test_its_client_ends_with_the_program_though_the_learner_is_gone(self) -> None:
        server = courier.Server()
        server.Bind("parameters", lambda held: held + 1)
        server.Start()
        client = courier.Client(f"localhost:{server.port}", call_timeout=10_000.0)
        stop = threading.Event()
        learner = actor._Learner(client, stop)
        self.assertEqual(learner.parameters(1), 2)
        server.Stop()
        threading.Timer(0.5, stop.set).start()
        self.assertIsNone(learner.parameters(2))
        # A client waits for its calls when it is collected.
        del client, learner
        gc.collect()


if __name__ == "__main__":
    absltest.main()
