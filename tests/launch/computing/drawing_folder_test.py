"""Who has no home that can be written to draws without a word about it."""

import os
import pathlib
import subprocess
import sys

from absl.testing import absltest, parameterized

_DRAW = """
from launch.computing import drawing_folder
drawing_folder.keep()
import matplotlib.figure
"""


class DrawingFolderTest(parameterized.TestCase):
    @parameterized.parameters({"HOME": "/proc"}, {"XDG_CONFIG_HOME": "/proc/none"})
    def test_nothing_is_said_and_no_new_folder_is_left(self, **odd: str) -> None:
        folder = self.create_tempdir().full_path
        known = dict(os.environ)
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR"):
            known.pop(name, None)
        known |= {
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "TMPDIR": folder,
            **odd,
        }
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", _DRAW],
                env=known,
                capture_output=True,
                text=True,
                timeout=120,
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("temporary cache directory", done.stderr)
        name = f"kickstarting-matplotlib-{os.getuid()}"
        self.assertEqual(os.listdir(folder), [name])
        self.assertEqual(pathlib.Path(folder, name).stat().st_mode & 0o077, 0)


if __name__ == "__main__":
    absltest.main()
