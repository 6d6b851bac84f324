"""What a kickstarted run to its end must leave, under every launch type."""

import json
import os
import pathlib

import numpy as np
from absl.testing import absltest

from kickstarting.reporting import run_files
from kickstarting.storage import checkpoints
from tests.launch import program_run

TOTAL_FRAMES = 1600
END_FRAMES = 600
_NOISE = ("Traceback", "Warning", "(Pdb)", "reverb/cc", "Waiting for workers")


class FinishedProgramTest(absltest.TestCase):
    """Runs the program once and looks at everything that is left.

    The variables of a proxy are set, as on many machines; the run is to do without it.
    """

    launch_type: str

    def check_run(self) -> None:
        folder = pathlib.Path(self.create_tempdir().full_path)
        logdir, teacher = str(folder / "run"), str(folder / "teacher")
        program_run.save_random_teacher(teacher)
        run = program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            # Other programs of tests do without, which is quicker.
            "--language",
            f"--lp_launch_type={self.launch_type}",
            f"--teachers={teacher}",
            f"--kickstarting_end_frames={END_FRAMES}",
            f"--total_frames={TOTAL_FRAMES}",
            "--evaluation_episodes=2",
            f"--logdir={logdir}",
            variables=program_run.DEAD_PROXIES,
        )
        status = run.wait()
        self.assertEqual(status, 0, run.stdout + run.stderr)
        with self.subTest("nothing is left running"):
            self.assertEmpty(run.wait_until_gone(5))
        with self.subTest("the terminal shows the run's own words"):
            for noise in _NOISE:
                self.assertNotIn(noise, run.stdout + run.stderr)
            self.assertIn("Wrote", run.stdout)
        with self.subTest("files"):
            self._check_files(logdir)
        with self.subTest("weaning"):
            self._check_weaning(run_files.read_metrics(logdir))
        with self.subTest("one compilation"):
            compilations = run_files.read_metrics(logdir)["compilations"]
            np.testing.assert_array_equal(compilations, 1)

    def _check_files(self, logdir: str) -> None:
        _, metadata = checkpoints.load_params(logdir)
        self.assertEqual(metadata["telemetry"]["frames"], TOTAL_FRAMES)
        self.assertEqual(program_run.last_frames(logdir), TOTAL_FRAMES)
        files = os.listdir(logdir)
        self.assertTrue(any(name.startswith("events.out.tfevents.") for name in files))
        curve = pathlib.Path(logdir, "learning_curve_gym_MiniGrid-Empty-5x5-v0.png")
        self.assertStartsWith(curve.read_bytes(), b"\x89PNG")
        self.assertGreater(pathlib.Path(logdir, "episode.mp4").stat().st_size, 1000)
        config = json.loads(pathlib.Path(logdir, "config.json").read_text())
        self.assertEqual(config["config"]["total_frames"], TOTAL_FRAMES)
        self.assertEqual(config["config"]["lp_launch_type"], self.launch_type)
        scores = json.loads(pathlib.Path(logdir, "scores.json").read_text())
        self.assertEqual(scores["environment_frames"], TOTAL_FRAMES)
        self.assertLen(scores["tasks"][0]["returns"], 2)

    def _check_weaning(self, metrics: dict[str, np.ndarray]) -> None:
        frames = metrics[run_files.FRAMES]
        weight = metrics[f"kickstarting_weight/{program_run.GRID}"]
        self.assertEqual(weight[frames > END_FRAMES + 400][-1], 0)
        self.assertGreater(metrics["teacher_unrolls"][-1], 0)
        self.assertEqual(metrics["teacher_timeouts"][-1], 0)
        # Of 10 frames each; those in flight when λ reached 0 were asked about, too.
        asked, sent = metrics["teacher_unrolls"][-1], metrics["unrolls"][-1]
        self.assertLessEqual(asked, END_FRAMES / 10 + 20)
        # The actors' last report may be of a time before the learner's end.
        self.assertGreaterEqual(sent, asked + 30)
        # A row is a mean over a second: the last one may begin before the end of λ.
        begin = frames[-2] if len(frames) > 1 else 0
        answered = metrics["teacher_coverage"][-1] * (frames[-1] - begin) / 10
        self.assertLessEqual(answered, max(END_FRAMES - begin, 0) / 10 + 20)
