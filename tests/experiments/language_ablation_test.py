"""The ablation of the instructions: trained, resumed, its results, its refusals."""

import contextlib
import io
import json
import pathlib
import tempfile

from absl.testing import absltest, flagsaver, parameterized

from experiments import language_ablation
from launch import command_line
from tests.experiments import small_runs
from tests.launch import program_run

_LEVELS = ("BabyAI-GoToObjS6-v1", "BabyAI-GoToLocalS5N2-v0")
_TASKS = ",".join(f"gym:{level}" for level in _LEVELS)


class AblationTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.results = pathlib.Path(self.create_tempdir().full_path) / "results"

    def _finish(self, *arguments: str) -> str:
        """Runs to the end; returns results.md."""
        run = program_run.ProgramRun(
            self,
            f"--tasks={_TASKS}",
            "--seeds=1",
            "--frames=400",
            f"--results={self.results}",
            small_runs.TRAIN_FLAGS,
            *arguments,
            module="experiments.language_ablation",
        )
        self.assertEqual(run.wait(), 0, run.stdout + run.stderr)
        self.assertEmpty(run.wait_until_gone(5))
        return (self.results / "results.md").read_text()

    def test_trains_both_conditions_once_and_reports_them(self) -> None:
        text = self._finish()
        records = {}
        for condition, language in (("with", True), ("without", False)):
            name = f"kickstarted_{condition}_seed1"
            records[condition] = json.loads((self.results / f"{name}.json").read_text())
            config = json.loads((self.results / name / "config.json").read_text())
            self.assertIn(f'"language": {str(language).lower()}', json.dumps(config))
        settings = [set(record["settings"]) for record in records.values()]
        # The one flag is all the difference.
        self.assertEqual(settings[0] ^ settings[1], {"--language", "--nolanguage"})
        self.assertIn("--teachers=examples.scripted_teacher:make", settings[0])
        self._check_results(text)

        before = _modification_times(self.results, "metrics.csv")
        self.assertEqual(self._finish("--report_only"), text)
        self.assertEqual(_modification_times(self.results, "metrics.csv"), before)

    def _check_results(self, text: str) -> None:
        lines = text.splitlines()
        header = next(line for line in lines if line.startswith("| level"))
        for name in (*_LEVELS, "**mean over levels**"):
            row = next(line for line in lines if line.startswith(f"| {name} "))
            self.assertEqual(row.count("|"), header.count("|"))
        picture = "language_kickstarted"
        self.assertIn(f"]({picture}.png)", text)
        self.assertStartsWith(
            (self.results / f"{picture}.png").read_bytes(), b"\x89PNG"
        )
        self.assertTrue((self.results / f"{picture}.svg").exists())
        commands = [line for line in lines if line.startswith("python -m launch.train")]
        self.assertLen(commands, 2)
        self.assertIn("--nolanguage", commands[1])


class RefusalTest(parameterized.TestCase):
    @parameterized.parameters(
        ("--seeds=1,two", "--seeds are numbers"),
        ("--seeds=", "--seeds must name at least one"),
        ("--seeds=1,1", "--seeds must name at least one, and none twice"),
        ("--tasks=", "--tasks must name at least one"),
        ("--frames=0", "--frames must be above 0"),
        ("--tasks=doom:basic", "doom:basic has no instructions"),
        ("--tasks=gym:BabyAI-Nothing-v0", "no level 'BabyAI-Nothing-v0'"),
        ("--tasks=gym:BabyAI-OpenDoorLoc-v0", "no reference score"),
        ("--report_only", "holds no finished run of both conditions"),
        ("--task=doom:basic", "unknown flag --task"),
    )
    def test_one_line_before_anything_is_trained(
        self, argument: str, message: str
    ) -> None:
        results = pathlib.Path(tempfile.mkdtemp(dir=absltest.get_default_test_tmpdir()))
        errors = io.StringIO()
        with flagsaver.flagsaver(), contextlib.redirect_stderr(errors):
            status = command_line.status(
                language_ablation.main,
                ["language_ablation", f"--results={results}", argument],
            )
        self.assertEqual(status, command_line.USAGE_STATUS)
        self.assertIn(message, errors.getvalue())
        self.assertEqual(errors.getvalue().count("\n"), 1)
        self.assertEmpty(list(results.iterdir()))


def _modification_times(folder: pathlib.Path, name: str) -> dict[pathlib.Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob(name)}


if __name__ == "__main__":
    absltest.main()
