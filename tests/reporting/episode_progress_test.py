"""How far an evaluation is: lines where there is no terminal, a bar where there is."""

import io

from absl.testing import absltest
from rich import console as rich_console

from kickstarting.reporting import episode_progress
from tests import terminals


class EpisodeProgressTest(absltest.TestCase):
    def test_lines(self):
        output = io.StringIO()
        console = rich_console.Console(file=output)
        with episode_progress.EpisodeProgress(console, 0.0) as progress:
            watch = progress.begin("evaluating [gym]:a", 1, 2, 30)
            watch(3, 1234)
            progress.end("mean return 1.5")
        lines = output.getvalue().splitlines()
        self.assertEqual(
            lines[0], "evaluating [gym]:a (1 of 2): 3 of 30 episodes, 1,234 agent steps"
        )
        self.assertStartsWith(lines[1], "evaluating [gym]:a (1 of 2): mean return 1.5")

    def test_a_line_a_minute_is_not_one_an_episode(self):
        output = io.StringIO()
        console = rich_console.Console(file=output)
        with episode_progress.EpisodeProgress(console) as progress:
            watch = progress.begin("evaluating gym:a", 1, 1, 30)
            for finished in range(30):
                watch(finished, 10 * finished)
        self.assertEmpty(output.getvalue())

    def test_a_bar(self):
        program = """if True:
            from kickstarting.reporting import episode_progress
            with episode_progress.EpisodeProgress() as progress:
                watch = progress.begin("evaluating gym:a", 1, 2, 4)
                watch(2, 1234)
                progress.say("A line above it.")
                progress.end("not told")
        """
        output = terminals.run(program)
        self.assertIn("25%", output)
        self.assertIn("1,234 steps", output)
        screen = terminals.screen(output)
        self.assertIn("A line above it.", screen)
        self.assertNotIn("not told", output)
        # It is gone at the end.
        self.assertNotIn("25%", screen)


if __name__ == "__main__":
    absltest.main()
