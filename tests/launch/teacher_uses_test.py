"""Teachers that act or lend their weights, in whole programs."""

import os

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.config import run as config_lib
from kickstarting.reporting import run_files
from kickstarting.ring import parts
from tests.launch import program_run

SCRIPTED = "examples.scripted_teacher:make"
UPDATES = 20


class ProgramTest(parameterized.TestCase):
    @parameterized.parameters("dagger", "jump_start", "initialise")
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
        self.assertEqual(asked > 0, use == "dagger")
        self.assertEqual("guided_episodes" in metrics, use != "initialise")


class GuideTest(absltest.TestCase):
    def _guide(self, use: str):
        tasks = ("gym:MiniGrid-Empty-5x5-v0", "gym:MiniGrid-Empty-6x6-v0")
        config = config_lib.Config(
            tasks=tasks,
            logdir="unused",
            kickstarting=config_lib.KickstartingConfig(
                teachers=((tasks[1], SCRIPTED), (tasks[1], "second:factory")),
                use=use,
                schedule="constant",
                allow_missing=True,
            ),
        )
        return parts.make_guide(config, np.array([0, 1, 0, 1]), 7)

    def test_the_first_teacher_of_a_task_acts(self):
        # The second does not exist, and is not made.
        guide = self._guide("behaviour_cloning")
        np.testing.assert_array_equal(guide._has_teacher, [0, 1, 0, 1])

    def test_no_guide_where_no_teacher_acts(self):
        self.assertIsNone(self._guide("distillation"))


if __name__ == "__main__":
    absltest.main()
