"""On an odd machine a run goes on anyway, or says in one line what is wrong there."""

import pathlib

from absl.testing import absltest, parameterized

from tests.launch import program_run

_DOOM = "--tasks=doom:basic"


class OddMachinesTest(parameterized.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.logdir = pathlib.Path(self.create_tempdir().full_path) / "run"

    def _run(self, machine: str, *arguments: str) -> program_run.ProgramRun:
        return program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            "--total_frames=100",
            f"--logdir={self.logdir}",
            *arguments,
            machine=machine,
        )

    @parameterized.parameters(
        (
            "mount -t tmpfs -o ro tmpfs /dev/shm",
            (_DOOM,),
            "ViZDoom needs /dev/shm, which cannot be written to: mount a tmpfs there",
        ),
        (
            "mount -t tmpfs -o size=1M tmpfs /dev/shm",
            (_DOOM, "--environments_per_actor=16"),
            "16 engines of ViZDoom need 2.0 MiB of /dev/shm, which has 1.0: free some",
        ),
        (
            "ulimit -n 64",
            ("--environments_per_actor=64",),
            "a run with 64 environments opens some 136 files at once, and this shell "
            "allows 64: ulimit -n 136",
        ),
    )
    def test_what_cannot_be_is_said(
        self, machine: str, arguments: tuple[str, ...], says: str
    ) -> None:
        run = self._run(machine, *arguments)
        self.assertEqual(run.wait(), 2, run.stdout + run.stderr)
        (line,) = run.stderr.splitlines()
        self.assertStartsWith(line.partition(": ")[2], says)
        self.assertFalse(self.logdir.exists())

    @parameterized.parameters(
        # Nobody knows localhost.
        "mount --bind /dev/null /etc/hosts",
        # It may open more than it is told to at first.
        "ulimit -S -n 50",
    )
    def test_what_can_be_is_done(self, machine: str) -> None:
        run = self._run(machine)
        self.assertEqual(run.wait(), 0, run.stdout + run.stderr)
        self.assertEqual(program_run.last_frames(str(self.logdir)), 100)
        self.assertNotIn("No network of its own", run.stderr)


if __name__ == "__main__":
    absltest.main()
