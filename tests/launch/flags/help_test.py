"""--help shows what a newcomer needs, --help=GROUP and --helpfull the rest."""

import collections
import os
import subprocess
import sys

from absl.testing import absltest, parameterized

from kickstarting.config import settings
from launch.flags import options

_DOZEN = 12
_SETTINGS = [
    setting
    for kind in options.KINDS
    for setting in settings.declared(kind)
    if setting.flag
]


class HelpTest(parameterized.TestCase):
    def _run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", f"launch.{module}", *arguments],
            env={
                **os.environ,
                "PYTHONPATH": ":".join(sys.path),
                # It warns where the home folder cannot be written, as in a sandbox.
                "MPLCONFIGDIR": self.create_tempdir().full_path,
            },
            capture_output=True,
            text=True,
            timeout=60,
        )

    def _flags(self, *arguments: str, module: str = "train") -> tuple[list[str], str]:
        """Returns the flags that are explained, in order, and all that is said."""
        done = self._run(module, *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        flags = [line.partition("=")[0] for line in lines if line.startswith("--")]
        return [flag.removeprefix("--").removeprefix("[no]") for flag in flags], (
            done.stdout
        )

    @parameterized.parameters("--help", "-h")
    def test_a_newcomer_sees_a_dozen(self, argument):
        flags, said = self._flags(argument)
        first = [each.flag for each in _SETTINGS if each.first]
        self.assertEqual(flags, first)
        self.assertLen(flags, _DOZEN)
        self.assertIn("tasks", flags)
        self.assertStartsWith(said, "Trains a student")
        about, _, tables = said.partition("\nRecommended for a suite or level")
        # Seen at once, and a line for each group.
        self.assertLess(len(about.splitlines()), 75)
        self.assertIn("\n  doom: action_repeat=4", tables)
        self.assertIn("\nWhat --preset=paper has otherwise than (the default):", tables)
        self.assertIn("vtrace_lambda=1.0 (0.95)", tables)
        counts = collections.Counter(each.group for each in _SETTINGS if not each.first)
        for group, count in counts.items():
            line = f"  {group.name:<12}{group.summary} ({count})"
            self.assertIn(line, said.splitlines())

    def test_a_group(self):
        flags, said = self._flags("--help=teachers")
        wanted = [each.flag for each in _SETTINGS if each.group.name == "teachers"]
        self.assertEqual(flags, wanted)
        self.assertIn("kickstarting_schedule", flags)
        self.assertIn(
            "\n--teacher_weighting=<equal|return>\n    Of several teachers", said
        )
        self.assertIn("Default: 20, 0 or at least 2.", " ".join(said.split()))

    def test_everything(self):
        flags, said = self._flags("--helpfull")
        for setting in _SETTINGS:
            self.assertEqual(flags.count(setting.flag), 1, setting.flag)
            self.assertNotEmpty(setting.about)
        self.assertIn("verbosity", flags)
        self.assertIn("\nplaces: threads or processes", said)

    def test_a_command_with_flags_of_its_own(self):
        flags, said = self._flags("--help", module="evaluate")
        self.assertEqual(flags[0], "checkpoint")
        self.assertIn("greedy", flags)
        self.assertNotIn("level_cache", flags)
        self.assertIn("\n  lab ", said)
        self.assertNotIn("Recommended", said)
        flags, _ = self._flags("--help=lab", module="evaluate")
        self.assertEqual(
            flags, ["level_cache", "level_cache_gigabytes", "dataset_path"]
        )

    def test_no_such_group(self):
        done = self._run("train", "--help=teacher")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertStartsWith(
            done.stderr,
            "train.py: help has no group 'teacher' (did you mean 'teachers'?): there "
            "are run, ring, ",
        )
        self.assertLen(done.stderr.splitlines(), 1)

    def test_groups_are_told_apart(self):
        groups = {each.group for each in _SETTINGS}
        self.assertLen({group.name for group in groups}, len(groups))


if __name__ == "__main__":
    absltest.main()
