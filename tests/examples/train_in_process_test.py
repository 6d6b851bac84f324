"""A whole ring in this process, with a shipped teacher."""

from unittest import mock

import numpy as np
from absl.testing import absltest

from examples import train_in_process
from kickstarting.reporting import run_files
from kickstarting.scores.normalised import Summary
from tests import small_ring


class TrainInProcessTest(absltest.TestCase):
    def test_it_trains_with_its_teacher(self):
        small_ring.compile_quickly()
        logdir = self.create_tempdir().full_path
        # Two updates.
        frames = 2 * train_in_process.config(logdir, 10_000).frames_per_batch
        with mock.patch("builtins.print") as printed:
            trained = train_in_process.main(logdir, frames)
        self.assertEqual(trained.frames, frames)
        self.assertIsInstance(trained.scores[train_in_process.TASK], Summary)
        self.assertIn(train_in_process.TASK, printed.call_args.args[0])
        metrics = run_files.read_metrics(logdir)
        column = f"kickstarting_weight/{train_in_process.TASK}"
        self.assertGreater(np.nanmax(metrics[column]), 0.0)


if __name__ == "__main__":
    absltest.main()
