"""Tests of the measurement of the random policy."""

import json
import pathlib

import numpy as np
from absl.testing import absltest, flagsaver

from experiments import measure_random_scores
from kickstarting.environments import base

_TASK = "gym:MiniGrid-Empty-5x5-v0"


class MeasureRandomScoresTest(absltest.TestCase):
    def test_seed_decides_the_returns(self) -> None:
        settings = base.TaskSettings(_TASK, seed=2, action_repeat=1)
        returns = measure_random_scores.random_returns(settings, 4)
        self.assertTrue(np.all((returns >= 0) & (returns <= 1)))
        np.testing.assert_array_equal(
            returns, measure_random_scores.random_returns(settings, 4)
        )

    def test_updates_the_file_and_keeps_the_references(self) -> None:
        path = pathlib.Path(self.create_tempdir().full_path) / "scores.json"
        path.write_text(json.dumps({_TASK: {"reference": 1.0}}), encoding="utf-8")
        with flagsaver.flagsaver(
            suite="gym",
            levels=["MiniGrid-Empty-5x5-v0"],
            episodes=3,
            action_repeat=1,
            output=str(path),
        ):
            measure_random_scores.main([])
        entry = json.loads(path.read_text(encoding="utf-8"))[_TASK]
        self.assertEqual(entry["reference"], 1.0)
        self.assertEqual(entry["random_episodes"], 3)
        self.assertIn("--episodes=3", entry["random_source"])
        self.assertBetween(entry["random"], 0, 1)


if __name__ == "__main__":
    absltest.main()
