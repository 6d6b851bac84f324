"""Tests of reporting/live_view.py; the terminal is a real one (a pseudo-terminal)."""

import io
import threading
import time

from absl.testing import absltest
from rich import console as rich_console

from kickstarting.reporting import live_view, telemetry_text
from kickstarting.reporting import telemetry as telemetry_lib
from tests import terminals

_HIDE_CURSOR = "\x1b[?25l"
_SHOW_CURSOR = "\x1b[?25h"

_PROGRAM = """
import logging, sys, time
from absl import flags, logging as absl_logging
from kickstarting.reporting import live_view, telemetry, telemetry_text

telemetry = telemetry.Telemetry(("doom:basic",), (None,), 1000)
flags.FLAGS(["program"])
absl_logging.use_absl_handler()
absl_logging.set_verbosity(absl_logging.INFO)
view = live_view.LiveView(telemetry_text.TelemetryText(lambda: telemetry, "a run"))
view.start()
for update in range(1, 4):
    telemetry.record_update(100 * update, update, {})
    print(f"printed line {update}")
    absl_logging.info("logged line %d", update)
    time.sleep(0.6)
if sys.argv[1] == "stop":
    view.stop()
    absl_logging.info("logged after the view")
    print("printed after the view")
    time.sleep(1.2)
elif sys.argv[1] == "raise":
    raise RuntimeError("the run failed")
"""


class TerminalTest(absltest.TestCase):
    def test_shows_the_run_keeps_log_lines_and_leaves_a_tidy_terminal(self):
        output = terminals.run(_PROGRAM, "stop")
        screen = terminals.screen(output)
        for update in (1, 2, 3):
            self.assertEqual(screen.count(f"printed line {update}"), 1)
            self.assertEqual(screen.count(f"logged line {update}"), 1)
        self.assertEqual(screen.count("a run"), 1, msg=screen)
        self.assertIn("300 of 1k frames", screen)
        self.assertLess(screen.index("logged line 3"), screen.index("300 of 1k"))
        self.assertLess(screen.index("300 of 1k"), screen.index("logged after"))
        self.assertEqual(output.count(_HIDE_CURSOR), output.count(_SHOW_CURSOR))
        self.assertGreater(output.rindex(_SHOW_CURSOR), output.rindex(_HIDE_CURSOR))
        _, after = output.split("printed after the view")
        self.assertEqual(after.strip(), "")

    def test_cursor_comes_back_when_the_program_fails(self):
        output = terminals.run(_PROGRAM, "raise")
        # Newer Pythons colour it.
        self.assertIn("RuntimeError: the run failed", terminals.screen(output))
        self.assertGreater(output.rindex(_SHOW_CURSOR), output.rindex(_HIDE_CURSOR))


class NoTerminalTest(absltest.TestCase):
    def _view(self) -> tuple[live_view.LiveView, io.StringIO]:
        telemetry = telemetry_lib.Telemetry(("doom:basic",), (None,), 1000)
        telemetry.record_update(500, 5, {"entropy": 1.5})
        file = io.StringIO()
        console = rich_console.Console(file=file, force_terminal=False)
        view = live_view.LiveView(
            telemetry_text.TelemetryText(lambda: telemetry, "a run"),
            console,
            seconds_between_lines=0.05,
        )
        return view, file

    def test_prints_plain_lines_until_it_is_stopped(self):
        view, file = self._view()
        view.start()
        deadline = time.monotonic() + 20
        while file.getvalue().count("\n") < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        view.stop()
        output = file.getvalue()
        time.sleep(0.2)
        self.assertEqual(file.getvalue(), output)
        lines = output.splitlines()
        self.assertGreaterEqual(len(lines), 4)
        for line in lines:
            self.assertStartsWith(line, "a run: 500 of 1,000 frames (50%), ")
            self.assertIn("student entropy 1.50", line)
        self.assertNotIn("\x1b", output)

    def test_the_last_state_is_shown_once(self):
        view, file = self._view()
        view.stop()
        self.assertEqual(file.getvalue(), "")
        view.start()
        view.start()
        view.stop()
        view.stop()
        self.assertLessEqual(file.getvalue().count("\n"), 2)
        self.assertIn("a run: 500", file.getvalue())

    def test_draws_from_a_daemon_thread(self):
        view, _ = self._view()
        before = set(threading.enumerate())
        view.start()
        (thread,) = set(threading.enumerate()) - before
        self.assertTrue(thread.daemon)
        view.stop()
        self.assertFalse(thread.is_alive())


if __name__ == "__main__":
    absltest.main()
