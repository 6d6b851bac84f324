"""Tests for trajectory.is_crossing: the boundary after a truncated episode alone."""

import hypothesis
import jax
import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import strategies as st

from kickstarting.agent import trajectory


class IsCrossingTest(parameterized.TestCase):
    def test_tells_truncation_from_termination(self):
        discount = np.array([1, 0, 1, 1, 1], np.float32)
        # The unroll opens an episode, one terminates at step 1, one is cut at step 3.
        first = np.array([True, False, True, False, True, False])
        np.testing.assert_array_equal(
            trajectory.is_crossing(discount, first), [False, False, False, True, False]
        )

    def test_opening_of_the_unroll_is_no_crossing(self):
        first = np.array([True, False, False])
        crossing = trajectory.is_crossing(np.ones(2, np.float32), first)
        self.assertFalse(crossing.any())

    @hypothesis.settings(deadline=None)
    @hypothesis.given(
        st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30)
    )
    def test_marks_exactly_the_undiscounted_restarts(self, steps):
        discount = np.array([[not terminated for terminated, _ in steps]], np.float32)
        first = np.array([[False] + [opens for _, opens in steps]])
        crossing = trajectory.is_crossing(discount, first)
        self.assertEqual(crossing.shape, discount.shape)
        self.assertEqual(crossing.dtype, bool)
        self.assertEqual(
            crossing[0].tolist(), [opens and not ends for ends, opens in steps]
        )

    def test_compiles_over_a_batch(self):
        discount = np.array([[1, 1], [0, 1]], np.float32)
        first = np.array([[False, True, False], [False, True, True]])
        np.testing.assert_array_equal(
            jax.jit(trajectory.is_crossing)(discount, first),
            [[True, False], [False, True]],
        )


if __name__ == "__main__":
    absltest.main()
