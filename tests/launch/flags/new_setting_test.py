"""A setting is added by one line in one file: all the rest follows, in a copy."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

from absl.testing import absltest

_CONFIG = pathlib.Path("kickstarting", "config", "agent.py")
_BEFORE = "    core_size: int = NETWORK.setting("
_LINE = '    wings: int = NETWORK.setting(2, "[0, 4]").help("How many wings.")\n'
# What launch.train writes into config.json, without the training.
_WRITE = """\
import sys
from absl import flags
from kickstarting.reporting import run_files
from launch.flags import preflight, run
flags.FLAGS(sys.argv)
config = run.config_from_flags()
assert config.network.wings == 3, config
files = run_files.RunFiles(config.logdir)
files.write_config(preflight.as_dict(config))
print("--wings=3" in run.arguments(config))
"""


class NewSettingTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.copy = pathlib.Path(self.create_tempdir().full_path, "copy")
        for name in ("kickstarting", "launch", "docs"):
            shutil.copytree(
                name, self.copy / name, ignore=shutil.ignore_patterns("*.pyc", "*.png")
            )
        path = self.copy / _CONFIG
        text = path.read_text()
        self.assertEqual(text.count(_BEFORE), 1)
        # Bazel's own is a link to that in the sources.
        path.unlink()
        path.write_text(text.replace(_BEFORE, _LINE + _BEFORE))

    def _python(self, *arguments: str, status: int = 0) -> str:
        """Runs Python in the copy; returns what it says."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.copy,
            env={
                **os.environ,
                "PYTHONPATH": f"{self.copy}:{':'.join(sys.path)}",
                # It warns where the home folder cannot be written, as in a sandbox.
                "MPLCONFIGDIR": str(self.copy),
            },
            capture_output=True,
            text=True,
            timeout=100,
        )
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_all_follows(self):
        train = ("-m", "launch.train")
        with self.subTest("help"):
            said = self._python(*train, "--help=network")
            self.assertIn("--wings=<int>\n    How many wings. Default: 2, in", said)
        with self.subTest("an error names it"):
            said = self._python(*train, "--wings=5", status=2)
            self.assertEqual(said, "train.py: wings must be in [0, 4], not 5\n")
        with self.subTest("configuration, config.json, what nodes are handed"):
            said = self._python("-c", _WRITE, "--wings=3", "--logdir=run")
            self.assertEqual(said, "True\n")
            written = json.loads((self.copy / "run" / "config.json").read_text())
            self.assertEqual(written["config"]["network"]["wings"], 3)
        with self.subTest("and back"):
            saved = "--config=run/config.json"
            self.assertEqual(self._python("-c", _WRITE, saved), "True\n")
        with self.subTest("docs"):
            page = self.copy / "docs" / "settings.md"
            before = page.read_text()
            page.unlink()
            self._python("-m", "launch.flags.settings_page")
            (row,) = set(page.read_text().splitlines()) - set(before.splitlines())
            self.assertStartsWith(row, "| `--wings` | `network.wings` | `2` | [0, 4] |")


if __name__ == "__main__":
    absltest.main()
