"""A folder is one run's: of processes, of this process, and of a killed one's heir."""

import os
import subprocess
import sys
import threading

from absl.testing import absltest

from kickstarting.storage import folder_lock

_HOLDER = """
import sys
from kickstarting.storage import folder_lock
folder_lock.hold(sys.argv[1], folder_lock.LEARNER)
print("held", flush=True)
sys.stdin.read()
"""


class FolderLockTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = os.path.join(self.create_tempdir().full_path, "run")

    def _holder(self) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", _HOLDER, self.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "held\n")
        return process

    def test_another_process_is_told_who_is_there(self) -> None:
        holder = self._holder()
        with self.assertRaisesRegex(
            folder_lock.FolderInUseError,
            rf"run is in use by process {holder.pid} of \S+, since 20.*--logdir",
        ):
            folder_lock.hold(self.folder, folder_lock.LEARNER)
        with folder_lock.held(self.folder, folder_lock.PROGRAM):
            pass

    def test_who_looks_sees_it_and_takes_nothing(self) -> None:
        def is_held() -> bool:
            return folder_lock.is_held(self.folder, folder_lock.LEARNER)

        self.assertFalse(is_held())
        holder = self._holder()
        self.assertTrue(is_held())
        self.assertFalse(folder_lock.is_held(self.folder, folder_lock.PROGRAM))
        holder.kill()
        holder.wait()
        self.assertFalse(is_held())
        with folder_lock.held(self.folder, folder_lock.LEARNER):
            self.assertTrue(is_held())
            with self.assertRaises(folder_lock.FolderInUseError):
                folder_lock.hold(self.folder, folder_lock.LEARNER)

    def test_a_process_that_is_killed_leaves_it_free(self) -> None:
        holder = self._holder()
        holder.kill()
        folder_lock.hold(self.folder, folder_lock.LEARNER, 20)
        folder_lock.release(self.folder, folder_lock.LEARNER)

    def test_a_second_run_of_this_process_is_refused(self) -> None:
        with folder_lock.held(self.folder, folder_lock.LEARNER):
            with self.assertRaisesRegex(folder_lock.FolderInUseError, "this process"):
                folder_lock.hold(self.folder, folder_lock.LEARNER)
            # By another name as well.
            link = f"{self.folder}_link"
            os.symlink(self.folder, link)
            with self.assertRaises(folder_lock.FolderInUseError):
                folder_lock.hold(link, folder_lock.LEARNER)

    def test_whoever_is_refused_does_not_give_it_back(self) -> None:
        with folder_lock.held(self.folder, folder_lock.LEARNER):
            with self.assertRaises(folder_lock.FolderInUseError):
                folder_lock.hold(self.folder, folder_lock.LEARNER)
            refused = subprocess.run(
                [sys.executable, "-c", _HOLDER, self.folder],
                input="",
                capture_output=True,
                text=True,
            )
            self.assertIn("FolderInUseError", refused.stderr)

    def test_one_waits_for_a_holder_that_is_about_to_end(self) -> None:
        holder = self._holder()
        threading.Timer(0.5, holder.kill).start()
        folder_lock.hold(self.folder, folder_lock.LEARNER, 20)
        folder_lock.release(self.folder, folder_lock.LEARNER)

    def test_what_stands_in_the_file_is_not_trusted(self) -> None:
        for content in (b"", b"{}", b"[1]", b"\xff" * 9, b'{"process": 1}'):
            self.assertEqual(folder_lock._described(content), "another run")


if __name__ == "__main__":
    absltest.main()
