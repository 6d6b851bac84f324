"""A command that ends, fails, is stopped, or reaches its limit."""

import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import Any
from unittest import mock

import psutil
from absl.testing import absltest

from benchmarks.comparison import timed

# Leaves the id of a process that would outlive it.
_STARTS_ANOTHER = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(float(sys.argv[2]))
"""


class TimedTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = self.create_tempdir().full_path
        self.child = pathlib.Path(self.folder, "child")

    def _command(self, minutes: float, *arguments: str) -> list[str]:
        inner = [sys.executable, "-c", *arguments]
        return timed.command(self.folder, minutes, inner)

    def _has_child(self) -> bool:
        process = int(self.child.read_text())
        return (
            psutil.pid_exists(process)
            and psutil.Process(process).status() != psutil.STATUS_ZOMBIE
        )

    def test_what_it_took_is_kept_and_nothing_is_left_running(self) -> None:
        before = time.time()
        command = self._command(5, _STARTS_ANOTHER, str(self.child), "0.2")
        self.assertEqual(subprocess.run(command).returncode, 0)
        outcome = timed.read(self.folder)
        self.assertBetween(outcome.began, before, time.time())
        self.assertBetween(outcome.seconds, 0.2, time.time() - before)
        self.assertGreater(outcome.cpu_seconds, 0)
        self.assertEqual((outcome.minutes, outcome.limit_reached), (5, False))
        self.assertFalse(self._has_child())

    def test_the_limit_ends_it_well(self) -> None:
        command = self._command(0.01, _STARTS_ANOTHER, str(self.child), "600")
        self.assertEqual(subprocess.run(command).returncode, 0)
        self.assertTrue(timed.read(self.folder).limit_reached)
        self.assertFalse(self._has_child())

    def test_a_failure_has_no_outcome(self) -> None:
        status = subprocess.run(self._command(5, "raise SystemExit(3)")).returncode
        self.assertEqual(status, 3)
        self.assertIsNone(timed.read(self.folder))

    def test_who_does_not_stop_is_killed(self) -> None:
        for number in (signal.SIGTERM, signal.SIGALRM):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        code = (
            "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "os.kill(os.getppid(), signal.SIGTERM); time.sleep(600)"
        )
        with mock.patch.object(timed, "_SECONDS_TO_STOP", 0.5):
            arguments = timed.command(self.folder, 5, [sys.executable, "-c", code])
            status = timed.main(arguments[3:])
        self.assertEqual(status, 128 + signal.SIGKILL)
        self.assertIsNone(timed.read(self.folder))

    def test_a_signal_while_it_is_started_is_passed_on(self) -> None:
        for number in (signal.SIGTERM, signal.SIGALRM):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        signal.signal(signal.SIGTERM, lambda *_: None)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        start = subprocess.Popen

        def interrupted(*arguments: Any, **options: Any) -> subprocess.Popen:
            process = start(*arguments, **options)
            os.kill(os.getpid(), signal.SIGTERM)
            return process

        code = [sys.executable, "-c", "import time; time.sleep(5)"]
        with mock.patch.object(subprocess, "Popen", interrupted):
            status = timed.main(timed.command(self.folder, 5, code)[3:])
        self.assertEqual(status, 128 + signal.SIGTERM)

    def test_a_signal_is_passed_on(self) -> None:
        command = self._command(5, _STARTS_ANOTHER, str(self.child), "600")
        with subprocess.Popen(command) as process:
            deadline = time.monotonic() + 60
            while not self.child.exists() or not self.child.read_text():
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(60), 128 + signal.SIGTERM)
        self.assertIsNone(timed.read(self.folder))
        self.assertFalse(self._has_child())
        self.assertNotIn("outcome.json", os.listdir(self.folder))


if __name__ == "__main__":
    absltest.main()
