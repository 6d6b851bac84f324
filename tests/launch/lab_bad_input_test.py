"""What a level of DeepMind Lab lacks is told in one line by launch.evaluate.

launch.train is in bad_input_test, launch.warm_level_cache in warm_level_cache_test.
"""

import contextlib
import io
import os
import sys
import tempfile
from unittest import mock

from absl.testing import absltest, flagsaver, parameterized

from kickstarting.environments.dmlab import level_cache
from launch import evaluate
from launch.flags import command_line
from tests.environments import lab_stand_in
from tests.launch import program_run

# (name, the level, flags, what the line must say)
_TABLE = (
    ("level", "rooms_watermase", (), "did you mean 'rooms_watermaze'?"),
    (
        "cache",
        "rooms_watermaze",
        ("--level_cache=/proc/cache",),
        "cannot write to the level cache '/proc/cache'",
    ),
    (
        "no_dataset",
        "psychlab_continuous_recognition",
        (),
        "none is given: name it by --dataset_path",
    ),
    (
        "missing_dataset",
        "psychlab_continuous_recognition",
        ("--dataset_path=/no/such",),
        "there is none at '/no/such': name it by --dataset_path",
    ),
    (
        "dataset_of_something_else",
        "psychlab_continuous_recognition",
        ("--dataset_path=/proc",),
        "'/proc' has no 0001.png: name it by --dataset_path",
    ),
)


class LabBadInputTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.teacher = os.path.join(tempfile.mkdtemp(), "teacher")
        program_run.save_random_teacher(
            cls.teacher, "dmlab30:rooms_watermaze", action_repeat=4
        )

    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path

    def _check_refused(self, level: str, extra: tuple[str, ...], says: str) -> None:
        arguments = (
            f"--checkpoint={self.teacher}",
            f"--tasks=dmlab30:{level}",
            f"--level_cache={self.folder}",
        )
        error = io.StringIO()
        with flagsaver.flagsaver(), contextlib.redirect_stderr(error):
            status = command_line.status(
                evaluate.main, ["evaluate.py", *arguments, *extra]
            )
        self.assertEqual(status, 2, error.getvalue())
        self.assertLen(error.getvalue().splitlines(), 1, error.getvalue())
        self.assertStartsWith(error.getvalue(), "evaluate.py: ")
        self.assertIn(says, error.getvalue())
        self.assertEqual(level_cache.size(self.folder), (0, 0))

    @parameterized.named_parameters(*_TABLE)
    def test_refused(self, level, extra, says):
        lab_stand_in.install(self)
        self._check_refused(level, extra, says)

    def test_a_path_without_a_level(self):
        lab_stand_in.install(self)
        self._check_refused(
            "", ("--tasks=dmlab:nowhere",), "dmlab:nowhere cannot be loaded: "
        )

    def test_not_installed(self):
        with mock.patch.dict(sys.modules, {"deepmind_lab": None}):
            self._check_refused(
                "rooms_watermaze", (), "needs DeepMind Lab, which is not installed"
            )


if __name__ == "__main__":
    absltest.main()
