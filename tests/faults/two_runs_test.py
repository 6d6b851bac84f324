"""Two runs in one folder: the second is refused, and what it finds stays as it is."""

import pathlib

from absl.testing import absltest

from kickstarting.ring import training
from kickstarting.storage import folder_lock
from tests import small_ring
from tests.launch import program_run


class TwoRunsTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.logdir = str(pathlib.Path(self.create_tempdir().full_path) / "run")

    def _start(self) -> program_run.ProgramRun:
        return program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            "--lp_launch_type=local_mp",
            "--total_frames=1000000",
            f"--logdir={self.logdir}",
        )

    def test_the_second_is_refused_until_the_first_has_ended(self) -> None:
        first = self._start()
        first.wait_for_frames(self.logdir, 0)
        config = pathlib.Path(self.logdir, "config.json").read_bytes()
        second = self._start()
        self.assertEqual(second.wait(), 2)
        self.assertNotIn("Traceback", second.stderr)
        self.assertRegex(
            second.stderr.splitlines()[-1],
            rf"^train(\.py)?: {self.logdir} is in use by process \d+ of \S+, since .*"
            "choose another --logdir or --seed, or stop that run first",
        )
        self.assertEqual(pathlib.Path(self.logdir, "config.json").read_bytes(), config)

        with (
            self.subTest("nor does a library's run begin there"),
            self.assertRaises(folder_lock.FolderInUseError),
        ):
            training.train(
                small_ring.small_config(
                    tasks=(program_run.GRID,),
                    logdir=self.logdir,
                    network=program_run.SMALL_NETWORK,
                )
            )

        with self.subTest("who comes after a kill waits for the last checkpoint"):
            first.kill()
            third = self._start()
            killed = first.wait_until_gone(20)
            self.assertEmpty(killed)
            newest = program_run.frames_of(program_run.checkpoints(self.logdir)[-1])
            third.wait_for_frames(self.logdir, newest)
            third.terminate()
            program_run.check_stopped(self, third, 15, self.logdir)


if __name__ == "__main__":
    absltest.main()
