"""Tests of the record of restarts."""

import pathlib

from absl.testing import absltest

from launch.processes import restarts


class RestartsTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.logdir = pathlib.Path(self.create_tempdir().full_path, "run")

    def test_reads_what_was_recorded_in_order(self) -> None:
        self.assertEmpty(restarts.read(str(self.logdir)))
        restarts.record(str(self.logdir), "actor/1", "was killed by signal 9")
        restarts.record(str(self.logdir), "learner/0", "ValueError('x')")
        first, second = restarts.read(str(self.logdir))
        self.assertEqual((first.node, second.node), ("actor/1", "learner/0"))
        self.assertEqual(first.reason, "was killed by signal 9")
        self.assertLessEqual(first.time, second.time)

    def test_a_line_that_was_cut_short_is_left_out(self) -> None:
        restarts.record(str(self.logdir), "actor/1", "was asked to end")
        with (self.logdir / restarts.FILE).open("a") as file:
            file.write('{"time": 1.0, "no')
        self.assertLen(restarts.read(str(self.logdir)), 1)

    def test_no_room_is_told_of_and_costs_no_restart(self) -> None:
        self.logdir.write_text("a file is where the folder should be")
        with self.assertLogs(level="WARNING") as logged:
            restarts.record(str(self.logdir), "actor/1", "was asked to end")
        self.assertIn("Cannot record that actor/1 begins again", str(logged))


if __name__ == "__main__":
    absltest.main()
