"""Steps wait for what they need, run side by side, and fail or stop as they should."""

import dataclasses
import io
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from typing import Any
from unittest import mock

from absl.testing import absltest
from rich import console as rich_console

from experiments.running import runner
from kickstarting.config import run as config_lib


class RunnerTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.finished: list[str] = []
        self.said = io.StringIO()

    def _step(self, name: str, code: str, needs: tuple[str, ...] = ()) -> runner.Step:
        return runner.Step(
            name=name,
            command=[sys.executable, "-c", code],
            log=str(self.folder / f"{name}.log"),
            frames=10,
            needs=needs,
            finish=lambda: self.finished.append(name),
        )

    def _run(self, *steps: runner.Step, at_once: int = 2) -> int:
        console = rich_console.Console(file=self.said)
        return runner.Runner(steps, at_once, console, {"MARK": "set"}).run()

    def _said(self) -> str:
        return self.said.getvalue()

    def test_what_is_needed_comes_first(self) -> None:
        exists = f"import os; assert os.path.exists({str(self.folder / 'made')!r})"
        make = f"open({str(self.folder / 'made')!r}, 'w')"
        status = self._run(
            self._step("first", make), self._step("second", exists, ("first",))
        )
        self.assertEqual(status, 0)
        self.assertEqual(self.finished, ["first", "second"])

    def test_steps_run_side_by_side_and_no_more_than_allowed(self) -> None:
        # Each waits for the other: one after the other they would never end.
        code = (
            "import os, time\n"
            "open({own!r}, 'w')\n"
            "while not os.path.exists({other!r}): time.sleep(0.01)"
        )
        paths = [str(self.folder / name) for name in "ab"]
        status = self._run(
            self._step("a", code.format(own=paths[0], other=paths[1])),
            self._step("b", code.format(own=paths[1], other=paths[0])),
        )
        self.assertEqual(status, 0)
        alone = f"import os; os.mkdir({str(self.folder / 'alone')!r}); "
        alone += (
            f"import time; time.sleep(0.3); os.rmdir({str(self.folder / 'alone')!r})"
        )
        steps = [self._step(f"alone{index}", alone) for index in range(3)]
        self.assertEqual(self._run(*steps, at_once=1), 0)

    def test_commands_get_the_environment_and_their_output_is_kept(self) -> None:
        self._run(self._step("env", "import os; print(os.environ['MARK'])"))
        self.assertEqual((self.folder / "env.log").read_text(), "set\n")

    def test_a_failure_takes_along_what_needs_it_and_nothing_else(self) -> None:
        status = self._run(
            self._step("bad", "raise SystemExit('what was wrong')"),
            self._step("lost", "pass", ("bad",)),
            self._step("lost too", "pass", ("lost",)),
            self._step("good", "pass"),
        )
        self.assertEqual(status, 1)
        self.assertEqual(self.finished, ["good"])
        said = self._said()
        self.assertIn("Failed with status 1: bad", said)
        self.assertIn("what was wrong", said)
        self.assertIn("Left out lost too", said)

    def test_what_cannot_be_kept_of_a_step_fails_it_alone(self) -> None:
        def refuse() -> None:
            raise config_lib.ConfigError("too short")

        bad = dataclasses.replace(self._step("bad", "pass"), finish=refuse)
        status = self._run(bad, self._step("good", "pass"), at_once=1)
        self.assertEqual(status, 1)
        self.assertEqual(self.finished, ["good"])
        self.assertIn("Failed after its end: bad: too short", self._said())

    def test_a_signal_stops_what_runs_and_begins_nothing_more(self) -> None:
        started = self.folder / "started"
        stopped = self.folder / "stopped"
        code = (
            "import signal, sys, time\n"
            f"def stop(*_): open({str(stopped)!r}, 'w'); sys.exit(143)\n"
            "signal.signal(signal.SIGTERM, stop)\n"
            f"open({str(started)!r}, 'w')\n"
            "while True: time.sleep(0.01)"
        )

        def interrupt() -> None:
            while not started.exists():
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt, daemon=True).start()
        handler = signal.getsignal(signal.SIGINT)
        status = self._run(
            self._step("long", code), self._step("next", "pass"), at_once=1
        )
        self.assertEqual(status, 128 + signal.SIGINT)
        self.assertTrue(stopped.exists())
        self.assertEmpty(self.finished)
        self.assertIs(signal.getsignal(signal.SIGINT), handler)

    def test_a_signal_stops_what_is_just_started(self) -> None:
        start = runner.Runner._process

        def interrupted(*arguments: Any) -> subprocess.Popen:
            process = start(*arguments)
            os.kill(os.getpid(), signal.SIGINT)
            return process

        with mock.patch.object(runner.Runner, "_process", interrupted):
            status = self._run(self._step("short", "import time; time.sleep(3)"))
        self.assertEqual(status, 128 + signal.SIGINT)
        self.assertEmpty(self.finished)


if __name__ == "__main__":
    absltest.main()
