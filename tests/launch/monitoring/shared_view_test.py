"""Tests of the shared view; the node is another process, the terminal a real one."""

import contextlib
import io
import os
import time
from unittest import mock

from absl.testing import absltest
from rich import console as rich_console
from rich import panel

from kickstarting.reporting import live_view
from launch.monitoring import shared_view
from tests import terminals

_PROGRAM = """
import os, subprocess, sys
from launch.monitoring import shared_view
with shared_view.on_this_terminal(True) as variables:
    print("a line of a log")
    environment = {**os.environ, **variables}
    subprocess.run(
        [sys.executable, "-c", sys.argv[1]], env=environment, check=True, timeout=40
    )
print("after the view")
"""

_NODE = """
import sys, time
from kickstarting.population import members_text
from kickstarting.population.member import Progress
from launch.monitoring import shared_view
text = members_text.MembersText("a population", 2, 1000)
view = shared_view.of_node(text)
view.start()
for frames in (100, 300):
    own = [{"learning_rate": 0.5}, {"learning_rate": 0.25}]
    text.record([Progress(frames, None), Progress(0, None)], own, 7, [0, 0])
    time.sleep(3)
view.stop()
"""


class _Wide:
    """As wide as where it is drawn."""

    state = "the first"

    def picture(self, console: rich_console.Console) -> rich_console.RenderableType:
        λ = "lambda" if console.options.ascii_only else "λ"
        return panel.Panel(f"{self.state} {λ}, {console.height} lines")

    def line(self, console: rich_console.Console) -> str:
        return f"{self.state} in a line"


class OnThisTerminalTest(absltest.TestCase):
    def test_shows_what_another_process_draws(self):
        output = terminals.run(_PROGRAM, _NODE)
        screen = terminals.screen(output)
        self.assertIn("starting: ", output)
        self.assertNotIn("starting: ", screen)
        self.assertEqual(screen.count("a population"), 1, msg=screen)
        self.assertIn("300 of 2,000 frames", screen)
        self.assertIn("learning rate", screen)
        self.assertLess(screen.index("a line of a log"), screen.index("a population"))
        self.assertLess(screen.index("a population"), screen.index("after the view"))
        # It is drawn in place while it lasts.
        self.assertIn("100 of 2,000 frames", output)
        self.assertNotIn("100 of 2,000 frames", screen)

    def test_shows_nothing_that_is_not_wanted(self):
        with shared_view.on_this_terminal(False) as variables:
            self.assertEqual(variables, {})


class OfNodeTest(absltest.TestCase):
    def _shown_on(self, console: rich_console.Console) -> dict[str, str]:
        """Shows what a node draws until the test's end; returns its variables."""
        making = mock.patch.object(
            shared_view.rich_console, "Console", return_value=console
        )
        with making:
            return self.enter_context(shared_view.on_this_terminal(True))

    def _wait_for(self, words: str, file: io.StringIO) -> None:
        deadline = time.monotonic() + 20
        while words not in terminals.screen(file.getvalue()):
            self.assertLess(time.monotonic(), deadline, file.getvalue())
            time.sleep(0.05)

    def test_follows_the_state_and_the_size(self):
        file = io.StringIO()
        console = rich_console.Console(
            file=file, force_terminal=True, width=40, height=20
        )
        text = _Wide()
        with mock.patch.dict(os.environ, self._shown_on(console)):
            view = shared_view.of_node(text)
        view.start()
        self._wait_for("the first λ, 20 lines", file)
        self._wait_for("╭" + "─" * 38 + "╮", file)
        console.size = rich_console.ConsoleDimensions(50, 10)
        self._wait_for("the first λ, 10 lines", file)
        self._wait_for("╭" + "─" * 48 + "╮", file)
        text.state = "the last"
        view.stop()
        self._wait_for("the last λ, 10 lines", file)

    def test_prints_lines_where_there_is_no_terminal(self):
        file = io.StringIO()
        console = rich_console.Console(file=file, force_terminal=False)
        with contextlib.ExitStack() as shown:
            with mock.patch.object(
                shared_view.rich_console, "Console", return_value=console
            ):
                variables = shown.enter_context(shared_view.on_this_terminal(True))
            with mock.patch.dict(os.environ, variables):
                view = shared_view.of_node(_Wide())
            view.start()
            view.stop()
        self.assertEqual(file.getvalue(), "the first in a line\n")

    def test_has_a_terminal_of_its_own_without_a_launcher(self):
        self.assertIsInstance(shared_view.of_node(_Wide()), live_view.LiveView)


if __name__ == "__main__":
    absltest.main()
