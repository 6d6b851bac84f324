"""A run in the foreground tells its status and leaves signals as they were."""

import os
import signal
import subprocess
import sys
from typing import Any
from unittest import mock

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

    def test_it_ends_the_run_that_is_just_started(self) -> None:
        start = subprocess.Popen

        def interrupted(*arguments: Any) -> subprocess.Popen:
            process = start([sys.executable, "-c", "import time; time.sleep(5)"])
            os.kill(os.getpid(), signal.SIGTERM)
            return process

        self.addCleanup(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        signal.signal(signal.SIGTERM, lambda *_: None)
        with mock.patch.object(subprocess, "Popen", interrupted):
            status = foreground.train([])
        self.assertEqual(status, 128 + signal.SIGTERM)


if __name__ == "__main__":
    absltest.main()
