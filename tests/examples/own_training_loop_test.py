"""The kickstarting term helps in a training loop that is not this project's."""

import jax
from absl.testing import absltest

import kickstarting
from examples import own_training_loop


class OwnTrainingLoopTest(absltest.TestCase):
    def test_with_a_teacher_it_learns_in_fewer_steps(self):
        scratch = own_training_loop.train(100, kickstarted=False)
        kickstarted = own_training_loop.train(100, kickstarted=True)
        self.assertGreater(kickstarted, 1.5 * scratch)

    def test_the_fall_of_λ_recompiles_nothing(self):
        before = own_training_loop.update._cache_size()
        own_training_loop.train(3, kickstarted=True)
        self.assertLessEqual(own_training_loop.update._cache_size() - before, 1)

    def test_λ_falls_to_0(self):
        weights = [
            kickstarting.kickstarting_weight(own_training_loop.LAMBDA, step)
            for step in (0, 75, 150, 151)
        ]
        self.assertEqual(weights, [4.0, 2.0, 0.0, 0.0])
        self.assertTrue(jax.tree.all([type(weight) is float for weight in weights]))


if __name__ == "__main__":
    absltest.main()
