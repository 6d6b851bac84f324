"""Another revision is checked out beside the repository, and leaves nothing in it."""

import os
import pathlib
import subprocess

from absl.testing import absltest

from benchmarks.programs import revision
from kickstarting.config import run as config_lib


class CheckoutTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.repository = self.create_tempdir().full_path
        self._git("init", "--quiet")
        for text in ("old", "new"):
            pathlib.Path(self.repository, "text").write_text(text)
            self._git("add", "text")
            self._git("commit", "--quiet", "--message", text)

    def _git(self, *arguments: str) -> str:
        person = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        return subprocess.run(
            ("git", *person, "-C", self.repository, *arguments),
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def test_has_what_the_revision_had_and_goes_again(self):
        with revision.checkout("HEAD~1", self.repository) as folder:
            self.assertEqual(pathlib.Path(folder, "text").read_text(), "old")
            self.assertEqual(pathlib.Path(self.repository, "text").read_text(), "new")
        self.assertFalse(os.path.exists(folder))
        self.assertLen(self._git("worktree", "list").splitlines(), 1)

    def test_one_that_is_not_there_is_told_of_in_a_line(self):
        with (
            self.assertRaisesRegex(config_lib.ConfigError, "check out 'nowhere': .+"),
            revision.checkout("nowhere", self.repository),
        ):
            self.fail()
        self.assertLen(self._git("worktree", "list").splitlines(), 1)


if __name__ == "__main__":
    absltest.main()
