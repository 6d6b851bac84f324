"""The demo from its start to its result, and what it refuses."""

import contextlib
import io
import pathlib

from absl.testing import absltest, flagsaver, parameterized

from experiments import demo
from launch.flags import command_line
from tests.experiments import small_runs
from tests.launch import program_run

_FRAMES = 200
# Of the demo as it ships.
_MANY = 60_000


class DemoTest(absltest.TestCase):
    def test_trains_both_and_shows_the_result(self) -> None:
        folder = pathlib.Path(self.create_tempdir().full_path)
        # Any return reaches this one.
        program_run.save_random_teacher(str(folder / "teacher"), mean_return=-1.0)
        run = program_run.ProgramRun(
            self,
            f"--task={program_run.GRID}",
            f"--teacher={folder / 'teacher'}",
            f"--frames={_FRAMES}",
            f"--results={folder / 'results'}",
            small_runs.TRAIN_FLAGS,
            module="experiments.demo",
        )
        self.assertEqual(run.wait(), 0, run.stdout + run.stderr)
        self.assertEmpty(run.wait_until_gone(5))
        with self.subTest("both runs"):
            first = run.stdout.index("1 of 2: with a teacher")
            self.assertGreater(run.stdout.index("2 of 2: from scratch"), first)
        with self.subTest("files"):
            results = folder / "results"
            for suffix, magic in ((".png", b"\x89PNG"), (".svg", b"<?xml")):
                curves = results / f"gym_MiniGrid-Empty-5x5-v0{suffix}"
                self.assertStartsWith(curves.read_bytes(), magic)
            for how in ("taught", "from_scratch"):
                name = f"gym_MiniGrid-Empty-5x5-v0_{how}_seed1_*"
                (logdir,) = (results / "runs").glob(name)
                self.assertEqual(program_run.last_frames(str(logdir)), _FRAMES)
                self.assertTrue((logdir / "scores.json").exists())
                self.assertTrue((logdir / "episode.mp4").exists())
        with self.subTest("table"):
            table = run.stdout[run.stdout.index("The demo's result") :]
            rows = [line for line in table.splitlines() if line.startswith("│")]
            self.assertLen(rows, 3)
            for row, label in zip(
                rows,
                ("teacher", "with a teacher", "from scratch"),
                strict=True,
            ):
                self.assertIn(label, row)
            self.assertIn("-1.00", rows[0])
            self.assertNotIn("not reached", table)
            self.assertIn(str(results / "gym_MiniGrid-Empty-5x5-v0.png"), table)
            self.assertIn("The student with a teacher passed the teacher after", table)
            self.assertIn("The student from scratch passed the teacher after", table)
        with self.subTest("what is to come is said first"):
            said = run.stdout[: run.stdout.index("1 of 2")]
            self.assertIn("about four minutes on two cores", said)


class VerdictTest(parameterized.TestCase):
    @parameterized.parameters(
        (1e5, 1.5, "passed the teacher after 100,000 frames, and ended 1.50 above it."),
        (
            1e5,
            -2.0,
            "was at the teacher's return after 100,000 frames, and ended 2.00 below "
            "it.",
        ),
        (
            None,
            -2.0,
            f"was not at the teacher's return within {_MANY:,} frames, and ended 2.00 "
            "below it.",
        ),
        (
            None,
            2.0,
            f"was not at the teacher's return within {_MANY:,} frames of training, "
            "and ended 2.00 above it.",
        ),
    )
    def test_says_what_happened(self, frames, lead, expected):
        found = demo.verdict("from scratch", frames, lead)
        self.assertEqual(found, f"The student from scratch {expected}")

    def test_every_level_has_its_teacher(self):
        for level, folder in (
            ("defend_the_center", "study/doom_halfway"),
            ("take_cover", "doom"),
        ):
            self.assertEqual(
                demo.shipped(f"doom:{level}"), f"teachers/{folder}/{level}"
            )


class RefusalTest(parameterized.TestCase):
    @parameterized.parameters(
        ("--frames=0", "--frames must be above 0"),
        ("--teacher=/nowhere", "/nowhere"),
        ("--task=doom:nowhere", "teachers/doom/nowhere"),
        ("--frame=10", "unknown flag --frame"),
    )
    def test_one_line_before_anything_is_trained(
        self, argument: str, message: str
    ) -> None:
        results = pathlib.Path(self.create_tempdir().full_path, "results")
        errors = io.StringIO()
        with flagsaver.flagsaver(), contextlib.redirect_stderr(errors):
            status = command_line.status(
                demo.main, ["demo", f"--results={results}", argument]
            )
        self.assertEqual(status, command_line.USAGE_STATUS)
        self.assertIn(message, errors.getvalue())
        self.assertEqual(errors.getvalue().count("\n"), 1)
        self.assertFalse(results.exists())


if __name__ == "__main__":
    absltest.main()
