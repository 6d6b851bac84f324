"""A run whose teacher breaks goes on without advice, and says so to its end."""

import os

from absl.testing import absltest

from kickstarting.reporting import run_files
from tests.launch import broken_teachers, program_run

_TEACHER = f"{broken_teachers.__name__}:breaking"


class UnansweredTest(absltest.TestCase):
    def test_a_teacher_that_is_not_finite_any_more(self):
        logdir = os.path.join(self.create_tempdir().full_path, "run")
        run = program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            "--total_frames=4000",
            f"--logdir={logdir}",
            f"--teachers={_TEACHER}",
            slow_steps=True,
        )
        self.assertEqual(run.wait(), 0, run.stderr)
        row = run_files.newest_row(logdir)
        self.assertEqual(row[run_files.FRAMES], 4000)
        self.assertEqual(row["skipped_updates"], 0)
        self.assertGreater(row[f"asked_unrolls/{_TEACHER}"], 0)
        said = " ".join(run.stdout.split())
        self.assertIn(f"In this run teacher '{_TEACHER}' gave no advice on ", said)
        self.assertIn("not finite", said)
        self.assertIn("Next: its teachers did not teach it.", said)
        self.assertNotIn("export it as a teacher", said)
        self.assertIn("Advice is missing: in the last ", run.stderr)


if __name__ == "__main__":
    absltest.main()
