"""Tests experiments.opponent_report."""

import os

import numpy as np
from absl.testing import absltest

from experiments import opponent_report
from kickstarting.config import run as config
from kickstarting.reporting import run_files


class OpponentReportTest(absltest.TestCase):
    def test_bins_average_what_falls_into_them(self):
        frames = np.array([0.0, 10.0, 19.0, 20.0, 45.0])
        returns = np.array([1.0, 3.0, 5.0, 7.0, 9.0])
        edges = np.array([0.0, 20.0, 40.0, 60.0, 80.0])
        self.assertEqual(
            opponent_report.binned(frames, returns, edges), [3.0, 7.0, 9.0, None]
        )

    def test_reads_our_runs_without_what_is_unknown(self):
        logdir = self.create_tempdir().full_path
        files = run_files.RunFiles(logdir)
        files.write_row({"frames": 10, "episode_return/doom:basic": float("nan")})
        files.write_row({"frames": 20, "episode_return/doom:basic": 2.5})
        files.close()
        frames, returns = opponent_report.our_returns(logdir, "doom:basic")
        np.testing.assert_array_equal(frames, [20.0])
        np.testing.assert_array_equal(returns, [2.5])

    def test_reads_all_workers_of_sample_factory_in_order(self):
        out = self.create_tempdir().full_path
        folder = os.path.join(out, "doom_basic_seed3")
        os.makedirs(folder)
        for name, text in (("1_0", "200,9,4.0\n"), ("1_1", "100,5,-1.5\n300,12,6.0\n")):
            with open(os.path.join(folder, f"episodes_{name}.csv"), "w") as file:
                file.write(text)
        frames, returns = opponent_report.sample_factory_returns(out, "doom:basic", "3")
        np.testing.assert_array_equal(frames, [100.0, 200.0, 300.0])
        np.testing.assert_array_equal(returns, [-1.5, 4.0, 6.0])

    def test_refuses_a_run_that_is_not_there(self):
        with self.assertRaisesRegex(config.ConfigError, "no episodes"):
            opponent_report.sample_factory_returns("/nowhere", "doom:basic", "1")


if __name__ == "__main__":
    absltest.main()
