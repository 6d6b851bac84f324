"""Teachers play where λ depends on their returns, once."""

import dataclasses
from unittest import mock

import numpy as np
from absl.testing import absltest

from kickstarting.config import run as config_lib
from kickstarting.teaching import measurement, teachers
from kickstarting.teaching.returns import TeacherReturns
from launch.flags import teacher_measurement
from tests.launch import program_run

_TASKS = (program_run.GRID, "gym:MiniGrid-Empty-6x6-v0")


class TeacherMeasurementTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path
        teacher = f"{self.folder}/teacher"
        program_run.save_random_teacher(teacher)
        self.run_config = config_lib.Config(
            _TASKS,
            f"{self.folder}/run",
            action_repeat=1,
            kickstarting=config_lib.KickstartingConfig(
                teachers=tuple((task, teacher) for task in _TASKS),
                schedule="return_gap",
                trial_episodes=2,
            ),
        )
        self.known = TeacherReturns.unknown(num_tasks=2, num_teachers=1)
        self.known.mean[0, 0] = 0.5
        self.known.standard_error[0, 0] = 0.1

    def test_what_is_unknown_is_measured_once_for_run_and_resumed_run(self):
        found = teacher_measurement.complete(self.run_config, self.known)
        self.assertEqual(found.mean[0, 0], 0.5)
        self.assertBetween(found.mean[1, 0], 0.0, 1.0)
        self.assertBetween(found.standard_error[1, 0], 0.0, 0.5)
        self.assertTrue(np.isnan(self.known.mean[1, 0]))
        with mock.patch.object(teachers, "load", side_effect=AssertionError):
            again = teacher_measurement.complete(self.run_config, self.known)
        np.testing.assert_allclose(again, found)

    def test_another_teacher_of_the_name_is_measured_anew(self):
        teacher_measurement.complete(self.run_config, self.known)
        program_run.save_random_teacher(f"{self.folder}/teacher", seed=8)
        with mock.patch.object(teachers, "load", wraps=teachers.load) as load:
            teacher_measurement.complete(self.run_config, self.known)
        # The same weights, for a card says nothing of what is played.
        load.assert_not_called()
        weights = mock.patch.object(
            measurement.teacher_files, "weights_sha256", return_value="other"
        )
        with weights, mock.patch.object(teachers, "load", wraps=teachers.load) as load:
            teacher_measurement.complete(self.run_config, self.known)
        load.assert_called_once()

    def test_nobody_plays_where_no_return_is_needed(self):
        kickstarting = dataclasses.replace(
            self.run_config.kickstarting, schedule="constant"
        )
        run = dataclasses.replace(self.run_config, kickstarting=kickstarting)
        np.testing.assert_array_equal(
            teacher_measurement.complete(run, self.known), self.known
        )


if __name__ == "__main__":
    absltest.main()
