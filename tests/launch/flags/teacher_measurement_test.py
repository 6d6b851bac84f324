"""Teachers play where λ depends on their returns, once."""

import contextlib
import dataclasses
import io
import os
import pathlib
import signal
import threading
import time
from unittest import mock

import numpy as np
from absl.testing import absltest

from kickstarting.config import run as config_lib
from kickstarting.teaching import measurement, teachers
from kickstarting.teaching.returns import TeacherReturns
from launch.flags import teacher_measurement
from launch.processes import interruption
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

    def test_ctrl_c_ends_it_and_the_next_call_goes_on(self):
        kept = pathlib.Path(self.run_config.logdir, "teacher_trials.episodes.jsonl")

        def interrupt() -> None:
            while not kept.exists() or kept.read_bytes().count(b"\n") < 3:
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)

        handler = signal.getsignal(signal.SIGINT)
        many = dataclasses.replace(self.run_config.kickstarting, trial_episodes=10_000)
        run = dataclasses.replace(self.run_config, kickstarting=many)
        ctrl_c = threading.Thread(target=interrupt)
        ctrl_c.start()
        with self.assertRaises(interruption.StoppedError) as stopped:
            teacher_measurement.complete(run, self.known)
        ctrl_c.join()
        self.assertEqual(stopped.exception.status, 128 + signal.SIGINT)
        self.assertRegex(
            str(stopped.exception), "has played [0-9]+ of 10000 .*, mean return"
        )
        self.assertIs(signal.getsignal(signal.SIGINT), handler)
        played = len(kept.read_text().splitlines()) - 1
        few = dataclasses.replace(many, trial_episodes=played + 1)
        run = dataclasses.replace(run, kickstarting=few)
        error = io.StringIO()
        with contextlib.redirect_stderr(error):
            found = teacher_measurement.complete(run, self.known)
        self.assertIn(f"Goes on with {played} episodes", error.getvalue())
        self.assertIn("plays gym:MiniGrid-Empty-6x6-v0: mean return", error.getvalue())
        self.assertBetween(found.mean[1, 0], 0.0, 1.0)
        self.assertFalse(kept.exists())

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
