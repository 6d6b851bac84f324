"""`./run_tests --library` finds a Python, makes a venv, and runs tests in it."""

import os
import pathlib
import shutil
import subprocess
import sys

from absl.testing import absltest, parameterized

# What the scripts call, beside Python.
_PROGRAMS = (
    *("bash", "cat", "dirname", "flock", "grep", "mkdir", "readlink", "sha256sum"),
    "tee",
)
_PYTHON = os.path.realpath(sys.executable)
# Passes for the version that is asked for.
_ANY_PYTHON = f"""\
#!/bin/bash
if [[ "$1" == -c && $# == 3 ]]; then exit 0; fi
exec {_PYTHON} "$@"
"""
_TEST = """
from absl.testing import absltest
import kickstarting

class ThingTest(absltest.TestCase):
    def test_it_is_there(self):
        self.assertEqual(kickstarting.ONE, 1)

absltest.main()
"""


class LibrarySetupTest(parameterized.TestCase):
    def setUp(self) -> None:
        super().setUp()
        folder = pathlib.Path(self.create_tempdir().full_path)
        self.home, self.programs, self.project = (
            folder / name for name in ("home", "programs", "project")
        )
        for each in (self.home, self.programs, self.project):
            each.mkdir()
        for name in _PROGRAMS:
            (self.programs / name).symlink_to(str(shutil.which(name)))
        shutil.copy("run_tests", self.project)
        shutil.copytree("tools", self.project / "tools")
        (self.project / "requirements-library.txt").touch()
        for path, text in (
            ("kickstarting/__init__.py", "ONE = 1\n"),
            ("tests/thing_test.py", _TEST),
            ("tests/run_test.py", "import launchpad\n"),
        ):
            file = self.project / path
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)

    def _call(self, version: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/bash", str(self.project / "run_tests"), f"--library={version}"],
            env={"HOME": str(self.home), "PATH": str(self.programs), **variables},
            capture_output=True,
            text=True,
            timeout=100,
        )

    @parameterized.parameters(
        ("3.12", "there is no Python 3.12 with its venv module"),
        ("3.13", "there is no Python 3.13 with its venv module"),
        ("3.11", "--library must be one of 3.12 3.13, not '3.11'"),
        ("", "--library must be one of 3.12 3.13, not ''"),
        ("3.12 3.13", "--library must be one of 3.12 3.13, not '3.12 3.13'"),
    )
    def test_what_cannot_be_is_told_in_one_line(self, version, says):
        done = self._call(version)
        self.assertEqual(done.returncode, 2, done.stderr)
        (line,) = done.stderr.splitlines()
        self.assertStartsWith(line, "run_tests: ")
        self.assertIn(says, line)

    def test_a_temporary_folder_that_cannot_be_used_is_told_in_one_line(self):
        done = self._call("3.12", TMPDIR="/proc")
        self.assertEqual(done.returncode, 2, done.stderr)
        (line,) = done.stderr.splitlines()
        self.assertStartsWith(line, "run_tests: cannot make /proc/kickstarting-tests-")

    def test_it_is_made_once_and_after_an_interruption_again(self):
        python = self.programs / "python3.12"
        python.write_text(_ANY_PYTHON)
        python.chmod(0o755)
        # As absl is in the venv of this test.
        site = f"import site\nsite.addsitedir({str(_site_packages())!r})\n"
        (self.project / "kickstarting" / "__init__.py").write_text("ONE = 1\n")
        test = self.project / "tests" / "thing_test.py"
        test.write_text(site + _TEST)
        with self.subTest("made"):
            done = self._call("3.12")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("Making .venv-library-3.12 with Python", done.stdout)
            self.assertEqual(
                done.stdout.splitlines()[-2:],
                [
                    "LEFT OUT tests/run_test.py: imports launchpad",
                    "1 passed, 0 failed",
                ],
            )
        with self.subTest("there"):
            done = self._call("3.12")
            self.assertStartsWith(
                done.stdout, "PASSED  tests/thing_test.py: 1 passed, 0 failed, "
            )
        with self.subTest("other pins"):
            (self.project / "requirements-library.txt").write_text("# None.\n")
            done = self._call("3.12")
            self.assertIn("Installing requirements-library.txt", done.stdout)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with self.subTest("a failure"):
            test.write_text(test.read_text().replace("ONE, 1", "ONE, 2"))
            done = self._call("3.12")
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("AssertionError", done.stdout)
            self.assertEndsWith(done.stdout, "\n0 passed, 1 failed\n")


def _site_packages() -> pathlib.Path:
    return pathlib.Path(absltest.__file__).parents[2]


if __name__ == "__main__":
    absltest.main()
