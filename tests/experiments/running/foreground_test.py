"""A run in the foreground tells its status and leaves signals as they were."""

import os
import signal

from absl.testing import absltest

from experiments.running import foreground


class TrainTest(absltest.TestCase):
    def test_refused_run_returns_its_status(self) -> None:
        logdir = os.path.join(self.create_tempdir().full_path, "run")
        numbers = (signal.SIGINT, signal.SIGTERM)
        handlers = [signal.getsignal(each) for each in numbers]
        status = foreground.train(["--tasks=doom:nowhere", f"--logdir={logdir}"])
        self.assertEqual(status, 2)
        self.assertEqual(handlers, [signal.getsignal(each) for each in numbers])
        self.assertFalse(os.path.exists(logdir))


if __name__ == "__main__":
    absltest.main()
