"""The window: each pass takes every unroll once, and devices do not matter."""

import os

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import jax
import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from kickstarting.learning import update, window
from tests import small_ring
from tests.counting_environment import SPEC

CONFIG = small_ring.small_config(batch_size=4, window_batches=3, passes=2)


def setUpModule():
    small_ring.compile_quickly()


def _gathered(made: update.Update) -> list[trajectory.Trajectory]:
    return [
        made.shard(
            small_ring.random_batch(CONFIG, SPEC, seed)._replace(
                params_version=4 * seed + np.arange(4, dtype=np.int32)
            )
        )
        for seed in range(CONFIG.window_batches)
    ]


class WindowTest(parameterized.TestCase):
    @settings(deadline=None)
    @given(
        seed=st.integers(0, 1000),
        num_batches=st.integers(1, 9),
        batch_size=st.integers(1, 9),
        passes=st.integers(1, 4),
    )
    def test_each_pass_takes_every_unroll_once(
        self, seed, num_batches, batch_size, passes
    ):
        rows = list(
            window.rows(np.random.default_rng(seed), num_batches, batch_size, passes)
        )
        self.assertLen(rows, num_batches * passes)
        for number in range(passes):
            of_pass = rows[number * num_batches : (number + 1) * num_batches]
            np.testing.assert_array_equal(
                np.sort(of_pass, axis=0),
                np.tile(np.arange(num_batches)[:, None], batch_size),
            )

    def test_passes_differ_and_a_seed_repeats_them(self):
        first, other, again = (
            np.stack(list(window.rows(np.random.default_rng(seed), 6, 8, 2)))
            for seed in (1, 2, 1)
        )
        np.testing.assert_array_equal(first, again)
        self.assertTrue(np.any(first != other))
        self.assertTrue(np.any(first[:6] != first[6:]))

    @parameterized.parameters(1, 4)
    def test_an_unroll_is_whole_in_its_place(self, num_devices):
        made = update.Update(
            Agent(SPEC, CONFIG.network), CONFIG, jax.local_devices()[:num_devices]
        )
        gathered = _gathered(made)
        whole = jax.tree.map(lambda *x: np.stack(x), *jax.device_get(gathered))
        seen = []
        for batch in window.batches(gathered, CONFIG.passes, (1, 0)):
            self.assertEqual(batch.action.sharding, gathered[0].action.sharding)
            batch = jax.device_get(batch)
            which = batch.params_version // 4
            seen.append(which.reshape(-1))
            expected = jax.tree.map(
                lambda x, which=which: np.stack(
                    [
                        [x[which[d, p], d, p] for p in range(which.shape[1])]
                        for d in range(which.shape[0])
                    ]
                ),
                whole,
            )
            jax.tree.map(np.testing.assert_array_equal, batch, expected)
        # The same ones whatever the devices.
        np.testing.assert_array_equal(
            seen, list(window.rows(np.random.default_rng((1, 0)), 3, 4, 2))
        )

    @parameterized.parameters(False, True)
    def test_one_device_and_four_learn_the_same(self, held):
        results = []
        for num_devices in (1, 4):
            made = update.Update(
                Agent(SPEC, CONFIG.network), CONFIG, jax.local_devices()[:num_devices]
            )
            state = made.replicate(jax.device_get(made.init(jax.random.key(0))))
            gathered = [
                (batch, made.values(state, batch) if held else None)
                for batch in _gathered(made)
            ]
            for batch, values in window.batches(gathered, CONFIG.passes, (1, 0)):
                state, _ = made(state, batch, _hyperparameters(), values)
            self.assertEqual(made.compilations(), 1)
            results.append(np.array(made.flat_parameters(state)))
        np.testing.assert_allclose(*results, rtol=1e-4, atol=2e-5)

    def test_a_window_of_one_batch_is_that_batch(self):
        made = update.Update(Agent(SPEC, CONFIG.network), CONFIG)
        gathered = _gathered(made)[:1]
        passes = list(window.batches(gathered, 3, (1, 0)))
        self.assertLen(passes, 3)
        for batch in passes:
            self.assertIs(batch, gathered[0])


def _hyperparameters() -> trajectory.Hyperparameters:
    return trajectory.Hyperparameters(
        learning_rate=np.float32(1e-3),
        entropy_cost=np.float32(0.01),
        optimiser_epsilon=np.float32(0.01),
        kickstarting_weight=np.zeros((1, 1), np.float32),
        discount=np.float32(0.99),
    )


if __name__ == "__main__":
    absltest.main()
