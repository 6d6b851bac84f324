"""What a run suggests at its end can be copied, and replaces nothing."""

import contextlib
import io
import os
import shlex

from absl.testing import absltest, parameterized

from kickstarting.reporting import run_files
from launch.reports import report
from tests import small_ring


class ExportCommandTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.create_tempdir().full_path)

    def _arguments(self, *tasks: str) -> list[str]:
        config = small_ring.small_config(tasks=tasks, logdir="runs/my run")
        return shlex.split(report.export_command(config))

    def test_a_teacher_that_is_there_stays(self) -> None:
        for out in ("teachers/doom/basic", "teachers/doom/basic_2"):
            arguments = self._arguments("doom:basic")
            self.assertEqual(
                arguments[-2:],
                [
                    f"--checkpoint={os.path.abspath('runs/my run')}",
                    f"--out={os.path.abspath(out)}",
                ],
            )
            os.makedirs(out)
        self.assertEndsWith(self._arguments("doom:basic")[-1], "/teachers/doom/basic_3")

    def test_it_can_be_copied_in_every_folder(self) -> None:
        cd, folder, and_then, python, *_ = self._arguments("doom:basic")
        self.assertEqual((cd, and_then, python), ("cd", "&&", ".venv/bin/python"))
        os.chdir(folder)
        self.assertEqual(
            self._arguments("gym:no-level")[:4],
            [python, "-m", "launch.export_teacher", "--checkpoint=runs/my run"],
        )

    def test_a_teacher_of_several_tasks_has_no_level_s_name(self) -> None:
        self.assertEndsWith(
            self._arguments("doom:basic", "doom:take_cover")[-1], "/teachers/mine"
        )


class AdviceTest(parameterized.TestCase):
    def _finish(self, **row: float) -> str:
        config = small_ring.small_config(
            tasks=("gym:MiniGrid-Empty-5x5-v0",),
            logdir=self.create_tempdir().full_path,
            evaluation_episodes=0,
        )
        files = run_files.RunFiles(config.logdir)
        files.write_row({run_files.FRAMES: 100, **row})
        files.close()
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            report.finish(config)
        return " ".join(out.getvalue().split())

    @parameterized.parameters((100.0, True), (60.0, True), (40.0, False), (0.0, False))
    def test_a_student_that_nobody_taught_is_not_called_a_teacher(self, missing, bad):
        counts = {"asked_unrolls/bots:a": 100.0, "unanswered_unrolls/bots:a": missing}
        said = self._finish(**counts)
        self.assertEqual("export it as a teacher" in said, not bad)
        self.assertEqual("its teachers did not teach it" in said, bad)
        words = f"In this run teacher 'bots:a' gave no advice on {missing:.0f}% of 100"
        self.assertEqual(words in said, bad)

    def test_where_one_of_two_taught_both_are_said(self):
        counts = {
            f"{name}/bots:{teacher}": 10.0
            for name, teacher in (
                ("asked_unrolls", "a"),
                ("unanswered_unrolls", "a"),
                ("asked_unrolls", "b"),
            )
        }
        said = self._finish(**counts)
        self.assertIn("In this run teacher 'bots:a' gave no advice on 100%", said)
        self.assertNotIn("bots:b", said)
        self.assertIn("export it as a teacher", said)

    def test_from_scratch_nothing_is_said_of_teachers(self):
        said = self._finish()
        self.assertStartsWith(said, "Next: ./kickstart --help, or export it")


if __name__ == "__main__":
    absltest.main()
