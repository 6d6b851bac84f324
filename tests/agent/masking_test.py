"""Policies over the available actions: nothing is left of the others."""

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.agent import masking

LOGITS = np.array([1.0, -2.0, 0.5, 3.0], np.float32)


class MaskLogitsTest(parameterized.TestCase):
    @parameterized.parameters(np.nan, np.inf, -np.inf, 1e30, 0.0)
    def test_only_the_available_actions_make_the_policy(self, nonsense):
        available = np.array([True, False, True, False])
        logits = np.where(available, LOGITS, np.float32(nonsense))
        masked = masking.mask_logits(logits, available)
        np.testing.assert_array_equal(masked[available], LOGITS[available])
        policy = np.asarray(jax.nn.softmax(masked))
        np.testing.assert_array_equal(policy[~available], 0.0)
        np.testing.assert_allclose(
            policy[available], jax.nn.softmax(LOGITS[available]), rtol=1e-6
        )

    def test_the_others_have_no_gradient(self):
        available = np.array([True, False, True, True])
        logits = np.where(available, LOGITS, np.nan)

        def entropy(logits):
            log_policy = jax.nn.log_softmax(masking.mask_logits(logits, available))
            return -jnp.sum(jnp.exp(log_policy) * log_policy)

        def entropy_of_rest(logits):
            log_policy = jax.nn.log_softmax(logits)
            return -jnp.sum(jnp.exp(log_policy) * log_policy)

        gradient = np.asarray(jax.grad(entropy)(logits))
        self.assertEqual(gradient[1], 0.0)
        np.testing.assert_allclose(
            gradient[available],
            jax.grad(entropy_of_rest)(LOGITS[available]),
            rtol=1e-5,
        )

    def test_masks_broadcast_over_teachers(self):
        available = np.array([[True, False], [True, True]])
        masked = masking.mask_logits(np.zeros((3, 2, 2), np.float32), available)
        np.testing.assert_array_equal(
            masked == 0, np.broadcast_to(available, (3, 2, 2))
        )

    def test_a_policy_of_which_nothing_is_available_becomes_uniform(self):
        logits = np.array([0.0, -np.inf, -np.inf, -np.inf], np.float32)
        available = np.array([False, True, True, False])
        np.testing.assert_array_equal(
            jax.nn.softmax(masking.mask_logits(logits, available)), [0, 0.5, 0.5, 0]
        )

    def test_what_is_available_is_not_hidden_where_it_is_no_number(self):
        logits = np.array([0.0, np.nan], np.float32)
        masked = masking.mask_logits(logits, np.array([True, True]))
        self.assertTrue(np.isnan(masked[1]))


if __name__ == "__main__":
    absltest.main()
