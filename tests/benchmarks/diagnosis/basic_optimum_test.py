import numpy as np
from absl.testing import absltest

from benchmarks.diagnosis import basic_optimum

_EPISODES = 4


class BasicOptimumTest(absltest.TestCase):
    def test_is_the_least_number_of_steps_and_one_shot(self):
        best = basic_optimum.best_returns(_EPISODES, seed=1)
        self.assertLen(best, _EPISODES)
        # The monster gives 101, each tic of the game takes 1, and the kill ends it.
        steps = (95 - best) / 4
        np.testing.assert_array_equal(steps, steps.round())
        self.assertBetween(steps.min(), 0, 8)
        self.assertBetween(steps.max(), 0, 8)
        np.testing.assert_array_equal(best, basic_optimum.best_returns(_EPISODES, 1))


if __name__ == "__main__":
    absltest.main()
