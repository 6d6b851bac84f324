"""Teachers that act or lend their weights, in whole programs."""

import os

from absl.testing import absltest, parameterized

from kickstarting.reporting import run_files
from tests.launch import program_run

SCRIPTED = "examples.scripted_teacher:make"
UPDATES = 20


class ProgramTest(parameterized.TestCase):
    @parameterized.parameters("dagger", "jump_start", "initialise", "fine_tuning")
    def test_it_trains_to_its_end(self, use):
        folder = self.create_tempdir().full_path
        logdir, teacher = os.path.join(folder, "run"), os.path.join(folder, "teacher")
        program_run.save_random_teacher(teacher)
        frames = UPDATES * program_run.FRAMES_PER_GRID_UPDATE
        run = program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            f"--total_frames={frames}",
            f"--logdir={logdir}",
            f"--teachers={teacher}",
            f"--teacher_use={use}",
        )
        self.assertEqual(run.wait(), 0, run.stderr)
        self.assertEqual(program_run.last_frames(logdir), frames)
        metrics = run_files.read_metrics(logdir)
        asked = metrics["teacher_unrolls"][-1]
        self.assertEqual(asked > 0, use in ("dagger", "fine_tuning"))
        self.assertEqual("guided_episodes" in metrics, use in ("dagger", "jump_start"))


if __name__ == "__main__":
    absltest.main()
