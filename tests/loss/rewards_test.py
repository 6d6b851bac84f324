"""Rewards are scaled and clipped."""

import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from kickstarting.loss import rewards


class RewardsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("none", [-20.0, -0.5, 0.0, 0.5, 20.0], [-20.0, -0.5, 0.0, 0.5, 20.0]),
        ("abs_one", [-20.0, -0.5, 0.0, 0.5, 20.0], [-1.0, -0.5, 0.0, 0.5, 1.0]),
        # 5 tanh(1 / 5), and 0.3 of it below 0.
        ("soft_asymmetric", [-1.0, 0.0, 1.0], [-0.29606, 0.0, 0.98688]),
        ("soft_asymmetric", [-1000.0, 1000.0], [-1.5, 5.0]),
    )
    def test_values(self, clipping, reward, expected):
        clipped = rewards.clip(np.array(reward, np.float32), clipping)
        np.testing.assert_allclose(clipped, expected, rtol=1e-4)

    @parameterized.parameters("none", "abs_one", "soft_asymmetric")
    def test_keeps_sign_and_order(self, clipping):
        @settings(deadline=None)
        @given(st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=2))
        def check(pair):
            pair = np.sort(np.array(pair, np.float32))
            clipped = np.asarray(rewards.clip(pair, clipping))
            self.assertLessEqual(clipped[0], clipped[1])
            self.assertTrue(np.all(clipped * pair >= 0))

        check()

    def test_each_task_has_its_own_scale(self):
        reward = np.array([[1, -4], [2, 0], [8, -8]], np.float32)
        task = np.array([1, 0, 1])
        np.testing.assert_array_equal(
            rewards.scale(reward, task, [2.0, 0.25]),
            [[0.25, -1], [4, 0], [2, -2]],
        )
        np.testing.assert_array_equal(rewards.scale(reward, task, []), reward)

    def test_unknown_name_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no reward clipping 'hard'"):
            rewards.clip(np.zeros(1), "hard")


if __name__ == "__main__":
    absltest.main()
