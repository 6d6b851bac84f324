"""The project's own sources are formatted, free of lint and sound in their types."""

import os
import pathlib
import subprocess
import sys

from absl.testing import absltest

ROOT = pathlib.Path.cwd()
# Packages, whose types are checked as well.
PACKAGES = ("kickstarting", "launch", "experiments", "benchmarks", "examples")
FOLDERS = (*PACKAGES, "tests", "tools")


def _sources() -> list[str]:
    # Named one by one, because Bazel's links to files are passed over in a folder.
    return sorted(
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    )


class LintTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.cache = self.create_tempdir().full_path

    def _run_module(self, *arguments: str):
        # Without PYTHONPATH, in which mypy would take installed packages for sources.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        result = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=100,
        )
        self.assertEqual(result.returncode, 0, "\n" + result.stdout)

    def test_every_folder_is_seen(self):
        sources = _sources()
        for name in ("kickstarting/agent/trajectory.py", "tests/lint_test.py"):
            self.assertIn(name, sources)
        for folder in FOLDERS:
            self.assertTrue(any(path.startswith(folder + "/") for path in sources))

    def test_every_test_has_a_target(self):
        for path in (ROOT / "tests").rglob("*_test.py"):
            build = (path.parent / "BUILD").read_text()
            self.assertIn(f'name = "{path.stem}"', build, f"{path} is in no BUILD file")

    def test_no_example_of_a_property_has_a_deadline(self):
        # Of Hypothesis's own, which a busy machine misses.
        for path in (ROOT / "tests").rglob("*_test.py"):
            text = path.read_text()
            if "hypothesis.given(" in text:
                self.assertIn("deadline=None", text, str(path))

    def test_format(self):
        self._run_module("ruff", "format", "--check", "--no-cache", *_sources())

    def test_lint(self):
        self._run_module("ruff", "check", "--no-cache", *_sources())

    def test_types(self):
        self._run_module("mypy", f"--cache-dir={self.cache}", *PACKAGES)


if __name__ == "__main__":
    absltest.main()
