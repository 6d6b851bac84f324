"""The same seed gives the same run, bit by bit, with one actor in lockstep."""

import jax
import numpy as np
from absl.testing import absltest

from kickstarting.acting import actor
from kickstarting.config import agent as agent_config
from tests import small_ring
from tests.counting_environment import CountingBatch, Script

SCRIPTS = [
    Script(length=5),
    Script(length=3, truncation=True, delay=2),
    Script(length=7, delay=1),
    Script(length=4),
]
NUM_UPDATES = 3


def setUpModule():
    small_ring.compile_quickly()


class SeedingTest(absltest.TestCase):
    def _train(self, seed: int) -> small_ring.Trained:
        run = small_ring.small_config(
            logdir=self.create_tempdir().full_path,
            seed=seed,
            lockstep=True,
            environments_per_actor=len(SCRIPTS),
            total_frames=16 * NUM_UPDATES,
            optimiser=agent_config.OptimiserConfig(learning_rate=0.01, anneal=False),
        )
        environments = CountingBatch(SCRIPTS, actor.NUM_SLOTS, run.unroll_length)
        trained = small_ring.train(run, environments)
        self.assertLen(trained.metrics, NUM_UPDATES)
        return trained

    def test_the_same_seed_gives_the_same_run(self):
        one, again, other = (self._train(seed) for seed in (1, 1, 2))
        for number in range(NUM_UPDATES):
            ours, theirs = one.batches[number], again.batches[number]
            jax.tree.map(np.testing.assert_array_equal, ours, theirs)
            # In lockstep nothing is off-policy.
            np.testing.assert_array_equal(ours.params_version, number)
        np.testing.assert_array_equal(one.parameters, again.parameters)
        self.assertEqual(one.metrics, again.metrics)
        self.assertGreater(np.abs(one.parameters - other.parameters).max(), 1e-3)


if __name__ == "__main__":
    absltest.main()
