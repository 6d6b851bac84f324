"""The compiled update: devices do not matter, hyperparameters never recompile."""

import os

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import jax
import jax.flatten_util
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting import config, types, update
from kickstarting.agent import Agent
from tests import ring
from tests.counting_environment import SPEC


def setUpModule():
    ring.compile_quickly()


def _config(**fields) -> config.Config:
    kickstarting = config.KickstartingConfig(
        teachers=(("test:counting", "any"),), schedule="constant"
    )
    return ring.small_config(**{"kickstarting": kickstarting, **fields})


def _hyperparameters(
    run: config.Config, *, learning_rate: float = 1e-3, weight: float = 0.5
) -> types.Hyperparameters:
    return types.Hyperparameters(
        learning_rate=np.float32(learning_rate),
        entropy_cost=np.float32(0.01),
        optimiser_epsilon=np.float32(run.optimiser.resolved_epsilon),
        kickstarting_weight=np.full((1, 1), weight, np.float32),
    )


def _make(run: config.Config, num_devices: int):
    devices = jax.local_devices()[:num_devices]
    made = update.Update(Agent(SPEC, run.network), run, devices)
    return made, made.replicate(made.init(jax.random.key(0)))


class UpdateTest(parameterized.TestCase):
    @parameterized.parameters("adam", "rmsprop")
    def test_one_device_and_four_give_the_same_parameters(self, optimiser):
        run = _config(
            batch_size=8, optimiser=config.OptimiserConfig(name=optimiser, epsilon=0.01)
        )
        batches = [ring.random_batch(run, SPEC, seed) for seed in range(10)]
        results, metrics = [], []
        for num_devices in (1, 4):
            made, state = _make(run, num_devices)
            begin = np.array(made.flat_parameters(state))
            for batch in batches:
                state, measured = made(state, made.shard(batch), _hyperparameters(run))
            results.append(np.array(made.flat_parameters(state)))
            metrics.append({name: float(x[0]) for name, x in measured.items()})
            np.testing.assert_array_equal(state.updates, np.full(num_devices, 10))
            self.assertEqual(made.compilations(), 1)
            self.assertGreater(np.abs(results[-1] - begin).max(), 1e-3)
        np.testing.assert_allclose(results[0], results[1], rtol=1e-4, atol=2e-5)
        self.assertAlmostEqual(
            metrics[0]["gradient_norm"] / metrics[1]["gradient_norm"], 1.0, places=3
        )

    def test_all_devices_hold_the_same_parameters(self):
        run = _config(batch_size=8)
        made, state = _make(run, 4)
        state, _ = made(
            state, made.shard(ring.random_batch(run, SPEC, 0)), _hyperparameters(run)
        )
        for leaf in jax.tree.leaves(state.params):
            for device in range(1, 4):
                np.testing.assert_array_equal(leaf[0], leaf[device])

    def test_changed_hyperparameters_compile_nothing(self):
        run = _config()
        made, state = _make(run, 1)
        self.assertEqual(made.compilations(), 0)
        batch = made.shard(ring.random_batch(run, SPEC, 0))
        for step in range(4):
            hyperparameters = types.Hyperparameters(
                learning_rate=np.float32(1e-3 / (step + 1)),
                entropy_cost=np.float32(0.01 * step),
                optimiser_epsilon=np.float32(1e-7 * (step + 1)),
                kickstarting_weight=np.full((1, 1), 1 - step / 3, np.float32),
            )
            state, _ = made(state, batch, hyperparameters)
        self.assertEqual(made.compilations(), 1)

    def test_hyperparameters_are_used(self):
        run = _config()
        made, _ = _make(run, 1)
        batch = made.shard(ring.random_batch(run, SPEC, 0))

        def after(**changes) -> np.ndarray:
            state = made.replicate(made.init(jax.random.key(0)))
            state, _ = made(state, batch, _hyperparameters(run, **changes))
            return np.array(made.flat_parameters(state))

        begin = np.array(
            made.flat_parameters(made.replicate(made.init(jax.random.key(0))))
        )
        np.testing.assert_array_equal(after(learning_rate=0.0), begin)
        self.assertGreater(np.abs(after() - begin).max(), 1e-4)
        self.assertGreater(np.abs(after() - after(weight=0.0)).max(), 1e-5)

    def test_the_policy_lag_is_counted_in_updates(self):
        run = _config()
        made, state = _make(run, 1)
        batch = made.shard(ring.random_batch(run, SPEC, 0))
        lags = []
        for _ in range(3):
            state, metrics = made(state, batch, _hyperparameters(run))
            lags.append(float(metrics["policy_lag"][0]))
        self.assertEqual(lags, [0.0, 1.0, 2.0])

    def test_a_batch_is_split_in_order_and_stays_uint8(self):
        run = _config(batch_size=8)
        made, _ = _make(run, 4)
        batch = ring.random_batch(run, SPEC, 0)
        sharded = made.shard(batch)
        self.assertEqual(sharded.observation.pixels.shape[:2], (4, 2))
        self.assertEqual(sharded.observation.pixels.dtype, np.uint8)
        np.testing.assert_array_equal(
            np.reshape(sharded.action, batch.action.shape), batch.action
        )

    def test_a_batch_that_cannot_be_split_is_refused_in_one_line(self):
        run = _config(batch_size=6)
        with self.assertRaisesRegex(config.ConfigError, r"\(6\).* 4 devices") as caught:
            update.Update(Agent(SPEC, run.network), run)
        self.assertNotIn("\n", str(caught.exception))

    def test_flat_parameters_are_what_actors_unravel(self):
        run = _config()
        agent = Agent(SPEC, run.network)
        made, state = _make(run, 1)
        flat = np.array(made.flat_parameters(state))
        self.assertEqual(flat.dtype, np.float32)
        params = ring.unravel(agent, flat)
        jax.tree.map(
            np.testing.assert_array_equal,
            params,
            jax.tree.map(lambda x: x[0], state.params),
        )


if __name__ == "__main__":
    absltest.main()
