"""From a run to a teacher, to scores and to videos, by the commands of the README."""

import json
import pathlib

from absl.testing import absltest
from PIL import Image

from kickstarting.reporting import run_files
from kickstarting.teaching import cards as teacher_cards
from kickstarting.teaching import files as teacher_files
from tests.launch import program_run

_GRID_RUN = (*program_run.GRID_FLAGS, *program_run.SMALL_FLAGS)


class ToolsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _run(self, module: str, *arguments: str) -> str:
        """Runs an entry point to its end; returns its standard output."""
        run = program_run.ProgramRun(self, *arguments, module=f"launch.{module}")
        self.assertEqual(run.wait(), 0, run.stdout + run.stderr)
        self.assertNotIn("Traceback", run.stderr)
        self.assertEmpty(run.wait_until_gone(5))
        return run.stdout

    def test_export_then_kickstart_evaluate_and_watch(self):
        run, teacher = str(self.folder / "run"), str(self.folder / "teachers" / "grid")
        self._run("train", *_GRID_RUN, "--total_frames=400", f"--logdir={run}")
        table = self._run(
            "export_teacher",
            f"--checkpoint={run}",
            f"--out={teacher}",
            "--episodes=2",
        )
        with self.subTest("export"):
            _, card = teacher_files.load_teacher(teacher)
            score = card.scores[0]
            self.assertEqual(score.task, program_run.GRID)
            self.assertEqual(card.environment_frames, 400)
            self.assertEqual((score.episodes, card.seed), (2, 1))
            self.assertIn(f"--logdir={run}", card.command)
            self.assertEqual(card.value, teacher_cards.ValueMeaning(0.99, "abs_one"))
            self.assertIn(f"{score.mean_return:.2f}", table)

        student = str(self.folder / "student")
        self._run(
            "train",
            *_GRID_RUN,
            f"--teachers={teacher}",
            "--total_frames=400",
            "--kickstarting_schedule=constant",
            "--value_distillation_cost=0.5",
            f"--logdir={student}",
        )
        with self.subTest("kickstart"):
            metrics = run_files.read_metrics(student)
            self.assertGreater(metrics["teacher_coverage"].max(), 0)
            self.assertGreater(metrics["cross_entropy"].max(), 0)
            self.assertGreater(metrics["value_distillation_loss"].max(), 0)

        scores = self.folder / "scores.json"
        table = self._run(
            "evaluate", f"--checkpoint={student}", "--episodes=3", f"--out={scores}"
        )
        with self.subTest("evaluate"):
            written = json.loads(scores.read_text())
            self.assertEqual(written["environment_frames"], 400)
            (task,) = written["tasks"]
            self.assertEqual(task["task"], program_run.GRID)
            self.assertLen(task["returns"], 3)
            self.assertEqual(written["split"], "test")
            self.assertIn(f"{task['mean_return']:.2f}", table)

        for name in ("episode.mp4", "episode.gif"):
            out = self.folder / name
            self._run(
                "watch",
                f"--checkpoint={student}",
                f"--teacher={teacher}",
                f"--out={out}",
                "--max_steps=5",
            )
            with self.subTest(name):
                self._check_video(out)

    def _check_video(self, path: pathlib.Path) -> None:
        content = path.read_bytes()
        if path.suffix == ".mp4":
            self.assertEqual(content[4:8], b"ftyp")
            self.assertGreater(len(content), 1000)
            return
        with Image.open(path) as picture:
            self.assertGreater(picture.n_frames, 1)


if __name__ == "__main__":
    absltest.main()
