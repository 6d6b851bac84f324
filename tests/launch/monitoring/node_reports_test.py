"""Tests of the file that tells when nodes were last heard of."""

import os
import pathlib
import time

from absl.testing import absltest

from launch.monitoring import node_reports


class NodeReportsTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.logdir = self.create_tempdir().full_path

    def test_the_newest_replaces_the_one_before(self) -> None:
        node_reports.write(self.logdir, {"actor/0": 100.0})
        node_reports.write(self.logdir, {"actor/0": 5.0, "actor/1": 0.0})
        reports = node_reports.read(self.logdir)
        assert reports is not None
        self.assertAlmostEqual(reports.heard["actor/0"], reports.time - 5.0)
        self.assertEqual(reports.heard["actor/1"], reports.time)
        self.assertLess(abs(time.time() - reports.time), 60)
        self.assertEqual(os.listdir(self.logdir), [node_reports.FILE])

    def test_the_last_one_says_so(self) -> None:
        node_reports.write(self.logdir, {"actor/0": 1.0})
        reports = node_reports.read(self.logdir)
        assert reports is not None
        self.assertFalse(reports.has_ended)
        node_reports.write(self.logdir, {"actor/0": 1.0}, has_ended=True)
        reports = node_reports.read(self.logdir)
        assert reports is not None
        self.assertTrue(reports.has_ended)

    def test_what_is_missing_or_not_whole_is_none(self) -> None:
        self.assertIsNone(node_reports.read(self.logdir))
        pathlib.Path(self.logdir, node_reports.FILE).write_text('{"time": 1.0')
        self.assertIsNone(node_reports.read(self.logdir))

    def test_no_room_is_told_of(self) -> None:
        with self.assertLogs(level="WARNING") as logged:
            node_reports.write(os.path.join(self.logdir, "missing"), {})
        self.assertIn("Cannot write", str(logged))


if __name__ == "__main__":
    absltest.main()
