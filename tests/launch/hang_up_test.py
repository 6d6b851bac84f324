"""A run whose terminal goes writes a last checkpoint, and leaves no process."""

import os
import pathlib
import pty
import select
import signal
import threading

from absl.testing import absltest, parameterized

from tests.launch import program_run


class _Terminal:
    """A terminal on which a person looks, until it is closed."""

    def __init__(self) -> None:
        self._leader, self.follower = pty.openpty()
        self._is_over = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        self._is_over.set()
        self._reader.join()
        os.close(self._leader)

    def _read(self) -> None:
        # What nobody reads would hold up whoever writes.
        while not self._is_over.is_set():
            if select.select([self._leader], [], [], 0.1)[0]:
                os.read(self._leader, 65536)


class HangUpTest(parameterized.TestCase):
    @parameterized.parameters("local_mt", "local_mp")
    def test_what_was_learned_outlives_the_terminal(self, launch_type: str) -> None:
        logdir = str(pathlib.Path(self.create_tempdir().full_path) / "run")
        terminal = _Terminal()
        run = program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            f"--lp_launch_type={launch_type}",
            "--total_frames=1000000",
            f"--logdir={logdir}",
            variables={"TERM": "xterm"},
            terminal=terminal.follower,
        )
        os.close(terminal.follower)
        run.wait_for_frames(logdir, 0)
        terminal.close()
        self.assertEqual(run.wait(), 128 + signal.SIGHUP)
        self.assertEmpty(run.wait_until_gone(5))
        newest = program_run.checkpoints(logdir)[-1]
        self.assertGreater(program_run.frames_of(newest), 0)


if __name__ == "__main__":
    absltest.main()
