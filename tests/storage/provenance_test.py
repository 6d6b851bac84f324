"""Tests of storage/provenance.py."""

import importlib.metadata
import json
import os
import platform
import subprocess

from absl.testing import absltest

from kickstarting.storage import provenance


class ProvenanceTest(absltest.TestCase):
    def test_describes_the_run(self):
        description = provenance.describe(
            {"seed": 3, "tasks": ("a",)}, ["train", "-x"], ["NVIDIA H200"]
        )
        self.assertEqual(description["devices"], ["NVIDIA H200"])
        self.assertEqual(description["config"]["seed"], 3)
        self.assertEqual(description["command"], ["train", "-x"])
        self.assertEqual(description["python"], platform.python_version())
        self.assertEqual(
            description["packages"]["jax"], importlib.metadata.version("jax")
        )
        self.assertRegex(description["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        json.dumps(description)

    def test_names_only_installed_packages(self):
        versions = provenance.package_versions(("numpy", "no-such-package"))
        self.assertEqual(list(versions), ["numpy"])


class GitTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path
        self.tracked = os.path.join(self.folder, "tracked.py")
        with open(self.tracked, "w") as file:
            file.write("x = 1\n")
        self._git("init", "--quiet")
        self._git("add", "tracked.py")
        self._git(
            "-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "-m", "m"
        )

    def _git(self, *arguments: str) -> str:
        return subprocess.run(
            ("git", "-C", self.folder, *arguments),
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def test_names_the_commit_and_says_whether_files_differ(self):
        revision = self._git("rev-parse", "HEAD")
        self.assertEqual(
            provenance.git_revision(self.tracked),
            {"revision": revision, "dirty": False},
        )
        with open(self.tracked, "a") as file:
            file.write("y = 2\n")
        self.assertEqual(
            provenance.git_revision(self.tracked), {"revision": revision, "dirty": True}
        )

    def test_an_untracked_file_has_no_revision(self):
        installed = os.path.join(self.folder, "installed.py")
        with open(installed, "w") as file:
            file.write("x = 1\n")
        self.assertIsNone(provenance.git_revision(installed))

    def test_no_revision_outside_a_checkout(self):
        self.assertIsNone(provenance.git_revision("/nowhere/at/all.py"))


if __name__ == "__main__":
    absltest.main()
