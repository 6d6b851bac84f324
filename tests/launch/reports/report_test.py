"""What a run suggests at its end can be copied, and replaces nothing."""

import os
import shlex

from absl.testing import absltest

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
        return shlex.split(report.export_command(config))[3:]

    def test_a_teacher_that_is_there_stays(self) -> None:
        for out in ("teachers/doom/basic", "teachers/doom/basic_2"):
            self.assertEqual(
                self._arguments("doom:basic"),
                ["--checkpoint=runs/my run", f"--out={out}"],
            )
            os.makedirs(out)
        self.assertEqual(
            self._arguments("doom:basic")[-1], "--out=teachers/doom/basic_3"
        )

    def test_a_teacher_of_several_tasks_has_no_level_s_name(self) -> None:
        self.assertEqual(
            self._arguments("doom:basic", "doom:take_cover")[-1], "--out=teachers/mine"
        )


if __name__ == "__main__":
    absltest.main()
