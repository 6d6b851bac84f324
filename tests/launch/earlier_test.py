"""What earlier revisions left on disk is resumed and used by the commands of today."""

import json
import os
import pathlib
import shutil

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.reporting import run_files
from kickstarting.teaching import files as teacher_files
from tests.launch import program_run

_EARLIER = pathlib.Path(__file__).parent / "earlier"
_REVISIONS = (("0ab8626",),)
_TRAINED_FRAMES = 400
_FLAGS = (
    *program_run.GRID_FLAGS,
    "--core_size=1",
    "--environments_per_actor=2",
    "--unroll_length=10",
    "--batch_size=2",
    "--evaluation_episodes=0",
)


class EarlierTest(parameterized.TestCase):
    def _copy(self, revision: str) -> pathlib.Path:
        """Returns a copy that may be written to; Bazel's own are links."""
        folder = pathlib.Path(self.create_tempdir().full_path, "copy")
        shutil.copytree(_EARLIER / revision, folder)
        return folder

    def _run(self, module: str, *arguments: str) -> str:
        run = program_run.ProgramRun(self, *arguments, module=f"launch.{module}")
        self.assertEqual(run.wait(), 0, run.stdout + run.stderr)
        return run.stdout

    @parameterized.parameters(*_REVISIONS)
    def test_a_run_goes_on_with_its_teacher(self, revision):
        folder = self._copy(revision)
        run = str(folder / "runs" / "helped")
        before = run_files.read_metrics(run)
        said = self._run(
            "train",
            *_FLAGS,
            f"--total_frames={_TRAINED_FRAMES + 200}",
            f"--logdir={run}",
            f"--teachers={folder / 'teachers' / 'grid'}",
            "--kickstarting_schedule=constant",
        )
        # What is recommended for its task today is something else.
        (begun,) = (line for line in said.splitlines() if "was begun with: " in line)
        for setting in ("anneal=true", "entropy_cost=0.013", "passes=1"):
            self.assertIn(setting, begun)
        metrics = run_files.read_metrics(run)
        new = metrics["frames"] > _TRAINED_FRAMES
        self.assertEqual(metrics["frames"][-1], _TRAINED_FRAMES + 200)
        np.testing.assert_array_equal(
            metrics["frames"][: len(before["frames"])], before["frames"]
        )
        # It continued: a run from nothing would have begun at its first update again.
        self.assertGreater(metrics["updates"][new].min(), before["updates"].max())
        # Its learning rate falls to 0, as it did by default.
        self.assertLess(metrics["learning_rate"][-1], 1e-4)
        self.assertGreater(metrics["teacher_coverage"][new].max(), 0)
        self.assertGreater(metrics["cross_entropy"][new].max(), 0)

        scores = folder / "scores.json"
        self._run("evaluate", f"--checkpoint={run}", "--episodes=2", f"--out={scores}")
        written = json.loads(scores.read_text())
        self.assertEqual(written["environment_frames"], _TRAINED_FRAMES + 200)

    @parameterized.parameters(*_REVISIONS)
    def test_a_run_begins_anew_from_its_configuration(self, revision):
        folder = self._copy(revision)
        earlier, anew = folder / "runs" / "helped", folder / "runs" / "anew"
        teacher = str(folder / "teachers" / "grid")
        self._run(
            "train",
            f"--config={earlier / 'config.json'}",
            f"--logdir={anew}",
            "--total_frames=0.2k",
            f"--teachers={teacher}",
            "--learning_rate=0.001",
        )
        self.assertEqual(run_files.read_metrics(str(anew))["frames"][-1], 200)
        before, after = (
            json.loads((run / "config.json").read_text())["config"]
            for run in (earlier, anew)
        )
        before.update(logdir=str(anew), total_frames=200)
        # These have been added since.
        before.update(window_batches=1, passes=1, bootstrap_time_limit=True)
        before.update(synchronous=False, profile_seconds=0.0)
        before.update(environment_deadline_seconds=300.0, standstill_minutes=30.0)
        before["loss"].update(
            reward_scales=[],
            fresh_statistics=True,
            least_advantage_deviation=0.001,
            held_values=False,
            final_discount=0.0,
            discount_start_frames=0,
            discount_end_frames=0,
            critic_warm_up_updates=0,
        )
        before["kickstarting"].update(points="", floor=0.0)
        before["optimiser"].update(anneal_frames=0, final_learning_rate_share=0.0)
        before["optimiser"]["learning_rate"] = 0.001
        before["kickstarting"]["teachers"][0][1] = teacher
        self.assertEqual(after, before)

    @parameterized.parameters(*_REVISIONS)
    def test_a_checkpoint_becomes_a_teacher(self, revision):
        folder = self._copy(revision)
        out = str(folder / "teachers" / "helped")
        self._run(
            "export_teacher",
            f"--checkpoint={folder / 'runs' / 'helped'}",
            f"--out={out}",
            "--episodes=2",
        )
        _, card = teacher_files.load_teacher(out)
        self.assertEqual(card.environment_frames, _TRAINED_FRAMES)
        _, earlier = teacher_files.load_teacher(str(folder / "teachers" / "grid"))
        self.assertEqual(card.network, earlier.network)

    @parameterized.parameters(*_REVISIONS)
    def test_a_run_is_told_of_and_a_teacher_is_watched(self, revision):
        folder = self._copy(revision)
        told = self._run("status", str(folder / "runs" / "helped"))
        self.assertIn(str(_TRAINED_FRAMES), told)
        video = str(folder / "episode.gif")
        self._run(
            "watch",
            f"--checkpoint={folder / 'teachers' / 'grid'}",
            f"--out={video}",
            "--max_steps=5",
        )
        self.assertGreater(os.path.getsize(video), 0)


if __name__ == "__main__":
    absltest.main()
