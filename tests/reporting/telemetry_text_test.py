"""Tests of reporting/telemetry_text.py."""

import io

from absl.testing import absltest, parameterized
from rich import console as rich_console

from kickstarting.environments import base
from kickstarting.reporting import telemetry as telemetry_lib
from kickstarting.reporting import telemetry_text

_REFERENCE = base.ReferenceScore(random=0.0, reference=2.0, source="test")


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _telemetry(tasks: tuple[str, ...], **metrics: float) -> telemetry_lib.Telemetry:
    """A run of 100 s at 5,000 frames/s, half done."""
    clock = _Clock()
    telemetry = telemetry_lib.Telemetry(
        tasks, [_REFERENCE] * len(tasks), 1_000_000, clock=clock
    )
    for second in range(1, 101):
        clock.now = second
        telemetry.record_update(5000 * second, second, metrics)
    telemetry.add_episodes([0, 0], [1.0, 2.0], [10, 20])
    return telemetry


def _taught(tasks: tuple[str, ...]) -> telemetry_lib.Telemetry:
    telemetry = _telemetry(
        tasks,
        entropy=1.52,
        cross_entropy=0.93,
        kl_teacher_student=0.31,
        teacher_agreement=0.71,
        teacher_coverage=1.0,
        policy_lag=2.1,
        **{f"kickstarting_weight/{task}": 0.41 for task in tasks},
    )
    telemetry.report(
        "actor/0",
        counters={
            "worker_restarts": 2,
            "dropped_unrolls": 0,
            "unanswered_unrolls": 7,
            "asked_unrolls/bots:a": 4,
            "unanswered_unrolls/bots:a": 3,
        },
        gauges={
            "wait_environment": 0.61,
            "wait_teacher": 0.0,
            "wait_queue": 0.03,
            "teachers_resting": 1,
        },
    )
    telemetry.report("learner", counters={}, gauges={"wait_data": 0.44})
    telemetry.report(
        "queue", counters={}, gauges={"queue_size": 14, "queue_capacity": 32}
    )
    return telemetry


def _text(telemetry: telemetry_lib.Telemetry) -> telemetry_text.TelemetryText:
    return telemetry_text.TelemetryText(lambda: telemetry, "a run")


def _console(width: int = 80, height: int = 24) -> rich_console.Console:
    return rich_console.Console(
        width=width,
        height=height,
        force_terminal=True,
        file=io.StringIO(),
        record=True,
    )


def _picture(
    telemetry: telemetry_lib.Telemetry, width: int = 80, height: int = 24
) -> list[str]:
    console = _console(width, height)
    console.print(_text(telemetry).picture(console))
    return console.export_text().splitlines()


class PictureTest(parameterized.TestCase):
    def test_everything_can_be_read_in_80_columns(self):
        lines = _picture(_taught(("doom:my_way_home", "doom:basic")))
        picture = "\n".join(lines)
        for words in (
            "a run",
            "50%  500k of 1M frames  1m 40s left",
            "frames/s 5,000, 5,000, 5,000 (10, 60, 300 s)",
            "update 100, 1m 40s",
            "entropy 1.52, CE 0.93, KL 0.31, agreement 71%, answered 100%",
            "for environments 61%, for teacher 0%, for queue 3%",
            "for data 44%",
            "14 of 32 unrolls, policy lag 2.10 updates",
            "2 environment restarts",
            "7 unrolls without advice",
            "teacher servers resting",
            "little advice from bots:a",
        ):
            self.assertIn(words, picture)
        self.assertNotIn("dropped", picture)
        self.assertRegex(picture, r"task +return +score +episodes +λ")
        self.assertRegex(picture, r"doom:my_way_home +1\.50 +75\.0 +2 +0\.41")
        self.assertRegex(picture, r"doom:basic +- +- +0 +0\.41")

    def test_scores_over_tasks_stand_below_them(self):
        tasks = ("doom:my_way_home", "doom:basic")
        telemetry = _taught(tasks)
        self.assertRegex("\n".join(_picture(telemetry)), "score +mean -, median -")
        telemetry.add_episodes([1], [0.2], [10])
        picture = "\n".join(_picture(telemetry))
        self.assertRegex(
            picture, r"score +mean 42\.5, median 42\.5 \(capped, over 30M frames\)"
        )
        self.assertNotIn("capped", "\n".join(_picture(_taught(tasks[:1]))))

    @parameterized.product(width=(60, 80, 200), num_tasks=(1, 3, 30))
    def test_never_wider_or_higher_than_the_terminal(self, width, num_tasks):
        tasks = tuple(f"dmlab30:a_rather_long_level_{i}" for i in range(num_tasks))
        lines = _picture(_taught(tasks), width, height=24)
        self.assertEqual({len(line) for line in lines}, {width})
        if width >= 80:
            self.assertLess(len(lines), 24)

    def test_many_tasks_are_cut_and_counted(self):
        tasks = tuple(f"suite:level_{i}" for i in range(30))
        lines = _picture(_taught(tasks), height=24)
        shown = [line for line in lines if "suite:level_" in line]
        self.assertIn(f"... and {30 - len(shown)} more", "\n".join(lines))
        self.assertGreaterEqual(len(shown), 2)
        everything = _picture(_taught(tasks), height=60)
        self.assertNotIn("more", "\n".join(everything))

    def test_long_names_are_shortened_numbers_are_not(self):
        picture = "\n".join(_picture(_taught(("gym:" + "x" * 100,))))
        self.assertRegex(picture, r"xxx… +1\.50 +75\.0 +2 +0\.41")

    @parameterized.parameters({}, {"teacher_coverage": 0.0, "cross_entropy": 0.0})
    def test_without_a_teacher_nothing_is_said_of_one(self, **metrics):
        picture = "\n".join(_picture(_telemetry(("doom:basic",), **metrics)))
        self.assertNotIn("CE", picture)
        self.assertNotIn("answered", picture)
        self.assertNotIn("λ", picture)

    def test_a_run_that_has_just_begun(self):
        telemetry = telemetry_lib.Telemetry(("doom:basic",), (None,), 1000)
        picture = "\n".join(_picture(telemetry))
        self.assertIn("0%  0 of 1k frames  ? left", picture)
        self.assertNotIn("score", picture)

    def test_a_run_that_compiles_says_so_and_again_when_it_is_resumed(self):
        telemetry = telemetry_lib.Telemetry(("doom:basic",), (None,), 1000)
        compiling = "compiling until its first update"
        text = telemetry_text.TelemetryText(lambda: telemetry, "a run")
        for updates in (1, 2):
            self.assertIn(compiling, text.line(_console()))
            self.assertIn(compiling, "\n".join(_picture(telemetry)))
            telemetry.record_update(100 * updates, updates, {})
            self.assertNotIn("compiling", text.line(_console()))
            telemetry.restore(telemetry.state())

    def test_a_run_that_is_trained_says_what_comes_next(self):
        telemetry = telemetry_lib.Telemetry(("doom:basic",), (None,), 1000)
        telemetry.record_update(1000, 1, {})
        text = telemetry_text.TelemetryText(lambda: telemetry, "a run", "a test")
        self.assertIn("(100%)", text.line(_console()))
        self.assertIn("/s, trained, a test", text.line(_console()))
        self.assertNotIn("left", "\n".join(_picture(telemetry)))

    def test_names_are_no_markup(self):
        picture = "\n".join(_picture(_telemetry(("gym:[bold]x[/]",))))
        self.assertIn("gym:[bold]x[/]", picture)


class LineTest(absltest.TestCase):
    def test_says_all_in_one_line(self):
        line = _text(_taught(("doom:my_way_home",))).line(_console())
        self.assertEqual(
            line,
            "a run: 500,000 of 1,000,000 frames (50%), 5,000/s, 1m 40s left"
            " | doom:my_way_home 1.50, score 75.0, λ 0.41"
            " | student entropy 1.52, CE 0.93, KL 0.31, agreement 71%, answered 100%"
            " | actors wait for environments 61%, for teacher 0%, for queue 3%"
            " | learner waits for data 44%"
            " | queue 14 of 32 unrolls, policy lag 2.10 updates"
            " | trouble 2 environment restarts, 7 unrolls without advice, "
            "1.00 teacher servers resting, little advice from bots:a",
        )

    def test_many_tasks_are_counted(self):
        tasks = tuple(f"suite:level_{i}" for i in range(30))
        line = _text(_taught(tasks)).line(_console())
        self.assertIn("suite:level_3 -", line)
        self.assertNotIn("suite:level_4", line)
        self.assertIn("... and 26 more", line)

    def test_ascii_where_the_terminal_knows_no_more(self):
        file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        console = rich_console.Console(file=file, width=80)
        line = _text(_taught(("doom:basic",))).line(console)
        self.assertTrue(line.isascii())
        self.assertIn("lambda 0.41", line)


class LivesTest(absltest.TestCase):
    def test_it_shows_the_newest_telemetry(self):
        first, second = (
            telemetry_lib.Telemetry(("doom:basic",), (None,), 1000) for _ in range(2)
        )
        first.record_update(300, 3, {})
        newest = [first]
        shown = telemetry_text.TelemetryText(lambda: newest[-1], "a run")
        self.assertIn("300 of 1,000", shown.line(_console()))
        # Of another learner, from the checkpoint of the one before.
        second.record_update(200, 2, {})
        newest.append(second)
        self.assertIn("200 of 1,000", shown.line(_console()))


if __name__ == "__main__":
    absltest.main()
