"""Tests of the measurement of BabyAI's bot."""

import json
import pathlib

import numpy as np
from absl.testing import absltest, flagsaver

from experiments import measure_bot_scores
from kickstarting.environments import base, suites

_LEVEL = "BabyAI-GoToLocalS5N2-v0"


class MeasureBotScoresTest(absltest.TestCase):
    def test_the_bot_solves_what_chance_does_not(self) -> None:
        returns = measure_bot_scores.bot_returns(_LEVEL, seed=3, num_episodes=10)
        self.assertGreater(returns.min(), 0)
        self.assertLessEqual(returns.max(), 1)
        reference = suites.reference_score(f"gym:{_LEVEL}")
        assert reference is not None
        self.assertGreater(returns.mean(), 2 * reference.random)
        np.testing.assert_array_equal(
            returns, measure_bot_scores.bot_returns(_LEVEL, seed=3, num_episodes=10)
        )

    def test_unknown_levels_are_refused(self) -> None:
        with self.assertRaisesRegex(base.EnvironmentConfigError, "GoToLocalS5N2-v0"):
            measure_bot_scores.bot_returns("BabyAI-GoToLocalS5N2-v7", 1, 1)

    def test_updates_the_file_and_keeps_what_chance_gets(self) -> None:
        path = pathlib.Path(self.create_tempdir().full_path) / "scores.json"
        task = f"gym:{_LEVEL}"
        path.write_text(json.dumps({task: {"random": 0.125}}), encoding="utf-8")
        with flagsaver.flagsaver(levels=[_LEVEL], episodes=3, output=str(path)):
            measure_bot_scores.main([])
        entry = json.loads(path.read_text(encoding="utf-8"))[task]
        self.assertEqual(entry["random"], 0.125)
        self.assertBetween(entry["reference"], 0.5, 1)
        self.assertIn("--episodes=3", entry["reference_source"])
        self.assertIn(f"--levels={_LEVEL}", entry["reference_source"])


if __name__ == "__main__":
    absltest.main()
