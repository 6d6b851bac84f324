"""The study of several tasks: trained, recorded, reported from records; refusals."""

import contextlib
import io
import json
import pathlib
import shutil
import tempfile

import numpy as np
from absl.testing import absltest, flagsaver, parameterized

from experiments import multi_task_runs, multi_task_study
from kickstarting import config as config_lib
from kickstarting import teacher_cards
from launch import command_line
from tests.experiments import small_runs
from tests.launch import program_run

_TASKS = (program_run.GRID, "gym:MiniGrid-Empty-8x8-v0")
# The small one ends in at most 100 steps, the large one in 256.
_FRAMES = 1200


def _save_teachers(folder: pathlib.Path) -> None:
    for number, task in enumerate(_TASKS):
        program_run.save_random_teacher(str(folder / "each" / str(number)), task=task)
    program_run.save_random_teacher(
        str(folder / "all"),
        scores=tuple(
            teacher_cards.TaskScore(task, 0.25, 0.1, 2, None) for task in _TASKS
        ),
    )


class StudyTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        _save_teachers(self.folder)

    def _finish(self, results: pathlib.Path, *arguments: str) -> str:
        """Runs to the end; returns results.md."""
        run = program_run.ProgramRun(
            self,
            f"--tasks={','.join(_TASKS)}",
            "--seeds=1",
            "--conditions=from_scratch,teacher_per_task",
            f"--frames={_FRAMES}",
            f"--teachers={self.folder / 'each'}",
            f"--one_teacher={self.folder / 'all'}",
            f"--results={results}",
            f"--records={self.folder / 'records'}",
            f"{small_runs.TRAIN_FLAGS},--popart_per_task",
            *arguments,
            module="experiments.multi_task_study",
        )
        self.assertEqual(run.wait(), 0, run.stdout + run.stderr)
        self.assertEmpty(run.wait_until_gone(5))
        return (results / "results.md").read_text()

    def test_trains_records_and_reports_from_records(self) -> None:
        results = self.folder / "results"
        text = self._finish(results)
        lines = text.splitlines()
        self.assertTrue((results / "multi_task.png").exists())
        for condition, teachers in (("from_scratch", 0), ("teacher_per_task", 2)):
            record = json.loads(
                (self.folder / "records" / f"{condition}_seed1.json").read_text()
            )
            self.assertLen(record["teachers_sha256"], teachers)
            self.assertCountEqual(record["final_returns"], _TASKS)
            # As the run's own metrics and scores have it.
            scores = json.loads(
                (results / f"{condition}_seed1" / "scores.json").read_text()
            )
            self.assertEqual(
                record["final_returns"],
                {each["task"]: each["mean_return"] for each in scores["tasks"]},
            )
        for task in _TASKS:
            row = next(line for line in lines if line.startswith(f"| {task} "))
            self.assertIn("| 0.5 | 0.2 |", row)
        self.assertLen([line for line in lines if "python -m launch.train" in line], 2)

        # On another machine the records are all there is.
        elsewhere = self.folder / "elsewhere"
        again = self._finish(elsewhere)
        self.assertEqual(
            again.replace(str(elsewhere), str(results)).splitlines(), lines
        )
        self.assertCountEqual(
            [path.name for path in elsewhere.iterdir()],
            ["results.md", "multi_task.png", "multi_task.svg"],
        )

    def test_scores_are_capped_and_of_the_references(self) -> None:
        # MiniGrid-Empty-5x5's random policy is 0, its reference 100.
        random, reference = multi_task_runs.capped_scores(
            program_run.GRID, np.array([0.0, 1e9])
        )
        self.assertLess(random, 0)
        self.assertEqual(reference, 100.0)
        with self.assertRaisesRegex(config_lib.ConfigError, "no reference score"):
            multi_task_runs.capped_scores("gym:CartPole-v1", np.zeros(1))


class RefusalTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        _save_teachers(cls.folder)

    @parameterized.parameters(
        ("--conditions=kickstarted", "--conditions are among from_scratch"),
        ("--seeds=one", "--seeds are numbers"),
        ("--tasks=", "--tasks must name at least one"),
        ("--frames=0", "--frames must be above 0"),
        ("--tasks=gym:CartPole-v1", "has no reference score"),
        ("--one_teacher=/no/such", "there is no such folder"),
        (f"--tasks={_TASKS[0]},gym:MiniGrid-DoorKey-5x5-v0", "choose a teacher of"),
        ("--report_only", "holds no finished run"),
    )
    def test_one_line_before_anything_is_trained(
        self, argument: str, message: str
    ) -> None:
        results = self.folder / "results"
        errors = io.StringIO()
        with flagsaver.flagsaver(), contextlib.redirect_stderr(errors):
            status = command_line.status(
                multi_task_study.main,
                [
                    "multi_task_study",
                    f"--tasks={','.join(_TASKS)}",
                    f"--teachers={self.folder / 'each'}",
                    f"--one_teacher={self.folder / 'all'}",
                    f"--results={results}",
                    argument,
                ],
            )
        self.assertEqual(status, command_line.USAGE_STATUS)
        self.assertIn(message, errors.getvalue())
        self.assertEqual(errors.getvalue().count("\n"), 1)
        self.assertFalse(results.exists())


if __name__ == "__main__":
    absltest.main()
