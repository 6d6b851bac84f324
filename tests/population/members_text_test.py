"""What a person sees of a population."""

import io

from absl.testing import absltest
from rich import console as rich_console

from kickstarting.population import members_text
from kickstarting.population import rules as population
from kickstarting.population.member import Progress


def _text(*restarts: int) -> members_text.MembersText:
    text = members_text.MembersText("doom:basic", 3, total_frames=1000)
    text.record(
        [
            Progress(500, population.Fitness(12.34, 1.0, 9.0)),
            Progress(600, population.Fitness(56.78, 1.0, 9.0)),
            Progress(400, None),
        ],
        [
            {
                "learning_rate": 10.0**-index,
                "kickstarting_weight": 4.0,
                "teacher_factor/doom:basic": 1.0,
            }
            for index in range(3)
        ],
        copies=7,
        restarts=restarts or (0, 0, 0),
    )
    return text


class MembersTextTest(absltest.TestCase):
    def test_one_line_says_who_is_best(self):
        line = _text().line(rich_console.Console(file=io.StringIO()))
        self.assertNotIn("\n", line)
        for words in (
            "doom:basic: 3 members, 1,500 of 3,000 frames",
            "7 copies",
            "scores 12.3 56.8 ?",
            "best is member 1: λ 4, learning rate 0.1",
        ):
            self.assertIn(words, line)

    def test_the_picture_has_a_row_for_each(self):
        console = rich_console.Console(file=io.StringIO(), width=100, record=True)
        console.print(_text().picture(console))
        text = console.export_text()
        for words in ("learning rate", "0.01", "56.8", "600", "?"):
            self.assertIn(words, text)
        self.assertNotIn("teacher factor", text)

    def test_has_letters_where_the_console_has_no_greek(self):
        file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        console = rich_console.Console(file=file)
        self.assertIn("member 1: lambda 4,", _text().line(console))

    def test_tells_of_members_that_died(self):
        console = rich_console.Console(file=io.StringIO(), width=120, record=True)
        self.assertNotIn("restart", _text().line(console))
        text = _text(0, 0, 3)
        self.assertIn("7 copies, restarted: member 2 3×", text.line(console))
        console.print(text.picture(console))
        (header,) = [
            line for line in console.export_text().splitlines() if "rate" in line
        ]
        self.assertIn("restarts", header)

    def test_shows_a_population_that_has_not_begun(self):
        text = members_text.MembersText("doom:basic", 2, 1000)
        console = rich_console.Console(file=io.StringIO(), width=100)
        console.print(text.picture(console))
        self.assertIn("0 of 2,000 frames", text.line(console))


if __name__ == "__main__":
    absltest.main()
