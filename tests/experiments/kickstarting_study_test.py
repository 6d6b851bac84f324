"""The study: trained in parts, broken off, resumed; its results, its refusals."""

import contextlib
import io
import json
import pathlib
import shutil
import tempfile

from absl.testing import absltest, flagsaver, parameterized

from experiments import kickstarting_study, runs
from launch import command_line
from tests.experiments import small_runs
from tests.launch import program_run

_LEVEL = "MiniGrid-Empty-5x5-v0"
_FRAMES = 200


class StudyTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        # No return reaches this one.
        program_run.save_random_teacher(
            str(self.folder / "teachers" / "gym" / _LEVEL), mean_return=2.0
        )
        self.results = self.folder / "results"

    def _start(self, *arguments: str) -> program_run.ProgramRun:
        return program_run.ProgramRun(
            self,
            f"--tasks={program_run.GRID}",
            "--seeds=1",
            f"--teachers={self.folder / 'teachers'}",
            f"--results={self.results}",
            small_runs.TRAIN_FLAGS,
            *arguments,
            module="experiments.kickstarting_study",
        )

    def _finish(self, *arguments: str) -> str:
        """Runs to the end; returns results.md."""
        run = self._start(*arguments)
        self.assertEqual(run.wait(), 0, run.stdout + run.stderr)
        self.assertEmpty(run.wait_until_gone(5))
        return (self.results / "results.md").read_text()

    def _logdir(self, condition: str) -> pathlib.Path:
        return self.results / f"gym_{_LEVEL}" / f"{condition}_seed1"

    def test_study_in_parts(self) -> None:
        alone = self._finish("--conditions=from_scratch", f"--frames={_FRAMES}")
        self.assertNotIn(runs.LABELS["kickstarted"], alone)
        finished = _modification_times(self._logdir("from_scratch"))

        # So long that it is met while it trains, beyond the frames of the others.
        logdir = self._logdir("kickstarted")
        run = self._start("--conditions=kickstarted", "--frames=1000000")
        run.wait_for_frames(str(logdir), _FRAMES)
        run.terminate()
        self.assertEqual(run.wait(20), 128 + 15, run.stdout + run.stderr)
        self.assertEmpty(run.wait_until_gone(1))
        stopped = program_run.frames_of(program_run.checkpoints(str(logdir))[-1])
        self.assertIn(f"Stopped at {stopped:,} frames.", run.stdout)
        self.assertFalse((logdir / "scores.json").exists())

        both = self._finish(
            "--conditions=from_scratch,kickstarted", f"--frames={_FRAMES}"
        )
        self.assertEqual(_modification_times(self._logdir("from_scratch")), finished)
        scores = json.loads((logdir / "scores.json").read_text())
        self.assertEqual(scores["environment_frames"], stopped)
        self.assertEqual(program_run.last_frames(str(logdir)), stopped)
        self._check_results(both)

        report = self._finish(
            "--conditions=kickstarted,from_scratch,constant",
            f"--frames={_FRAMES}",
            "--report_only",
        )
        self.assertCountEqual(report.splitlines(), both.splitlines())
        self.assertFalse(self._logdir("constant").exists())

    def _check_results(self, text: str) -> None:
        lines = text.splitlines()
        self.assertEqual(lines[0], f"## {program_run.GRID}")
        self.assertIn("Teacher: return 2.00 ± 0.10 (s.e. over 2 episodes)", text)
        picture = f"gym_{_LEVEL}.png"
        self.assertIn(f"![learning curves]({picture})", text)
        self.assertStartsWith((self.results / picture).read_bytes(), b"\x89PNG")
        header = next(line for line in lines if line.startswith("| condition"))
        for condition in ("from_scratch", "kickstarted"):
            label = runs.LABELS[condition]
            row = next(line for line in lines if line.startswith(f"| {label} "))
            self.assertEqual(row.count("|"), header.count("|"))
            scores = json.loads((self._logdir(condition) / "scores.json").read_text())
            mean = f"{scores['tasks'][0]['mean_return']:.2f}"
            self.assertEqual(row, f"| {label} | 1 | not reached | {mean} ({mean}) |")
            command = next(
                line
                for line in lines
                if line.startswith("python -m launch.train") and condition in line
            )
            self.assertIn(f"--logdir={self._logdir(condition)}", command)
            self.assertIn("--action_repeat=1", command)


class RefusalTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        program_run.save_random_teacher(str(cls.folder / "teachers" / "gym" / _LEVEL))

    @parameterized.parameters(
        ("--conditions=kickstarted,scratch", "--conditions are among from_scratch"),
        ("--seeds=1,two", "--seeds are numbers"),
        ("--seeds=-1", "--seeds are numbers"),
        ("--seeds=1,1", "--seeds must name at least one, and none twice"),
        ("--seeds=", "--seeds must name at least one"),
        ("--tasks=", "--tasks must name at least one"),
        ("--frames=0", "--frames must be above 0"),
        ("--weaned_share=0", "--weaned_share in (0, 1]"),
        ("--weaned_share=1.5", "--weaned_share in (0, 1]"),
        (f"--tasks={program_run.GRID},gym:Nothing-v0", "no level 'Nothing-v0'"),
        (f"--tasks={program_run.GRID},doom:basic", "teachers/doom/basic"),
        ("--report_only", "holds no finished run"),
        ("--task=doom:basic", "unknown flag --task"),
    )
    def test_one_line_before_anything_is_trained(
        self, argument: str, message: str
    ) -> None:
        results = self.folder / "results"
        errors = io.StringIO()
        with flagsaver.flagsaver(), contextlib.redirect_stderr(errors):
            status = command_line.status(
                kickstarting_study.main,
                [
                    "kickstarting_study",
                    f"--tasks={program_run.GRID}",
                    f"--teachers={self.folder / 'teachers'}",
                    f"--results={results}",
                    argument,
                ],
            )
        self.assertEqual(status, command_line.USAGE_STATUS)
        self.assertIn(message, errors.getvalue())
        self.assertEqual(errors.getvalue().count("\n"), 1)
        self.assertFalse(results.exists())


def _modification_times(folder: pathlib.Path) -> dict[pathlib.Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


if __name__ == "__main__":
    absltest.main()
