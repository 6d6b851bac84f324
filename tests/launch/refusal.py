"""What a test of bad input checks: one line, status 2, and nothing was touched."""

import contextlib
import io
import os
import pathlib
import re
from collections.abc import Sequence

from absl.testing import flagsaver, parameterized

from kickstarting.config import run as config_lib
from kickstarting.config import settings
from launch import train
from launch.flags import command_line
from tests.launch import program_run

_SETTINGS = [each for each in settings.declared(config_lib.Config) if each.flag]
# What a setting is called that a person types by another name: no error speaks of it.
_NO_FLAGS = {each.path[-1] for each in _SETTINGS if "_" in each.path[-1]} - {
    each.flag for each in _SETTINGS
}


def _run(arguments: Sequence[str]) -> tuple[int, str]:
    """Returns the status of launch.train in this process, and its standard error."""
    error = io.StringIO()
    with flagsaver.flagsaver(), contextlib.redirect_stderr(error):
        status = command_line.status(train.main, ["train", *arguments], "lp_")
    return status, error.getvalue()


def _contents(folder: str) -> dict[str, tuple[int, int]]:
    """Returns size and time of change of all files under a folder."""
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in pathlib.Path(folder).rglob("*")
        if path.is_file()
    }


class RefusalTest(parameterized.TestCase):
    """Runs launch.train in this process with a logdir of its own.

    Attributes:
      logdir: of the run, not made yet.
    """

    def setUp(self):
        super().setUp()
        self.logdir = os.path.join(self.create_tempdir().full_path, "run")

    def check_refused(self, arguments: Sequence[str], says: str) -> None:
        """Checks that launch.train refuses the arguments in a line that says so."""
        before = _contents(os.path.dirname(self.logdir))
        children = program_run.children()
        status, error = _run(
            (
                *program_run.GRID_FLAGS,
                *program_run.SMALL_FLAGS,
                # Were it not refused, it would end soon.
                "--total_frames=20",
                f"--logdir={self.logdir}",
                *arguments,
            )
        )
        self.assertEqual(status, 2, error)
        self.assertLen(error.splitlines(), 1, error)
        self.assertStartsWith(error, "train")
        self.assertIn(says, error)
        self.assertNoCommonElements(re.findall(r"\w+", error), _NO_FLAGS)
        self.assertEqual(_contents(os.path.dirname(self.logdir)), before)
        self.assertEqual(program_run.children(), children)
