"""The compiled update: devices do not matter, hyperparameters never recompile."""

import dataclasses
import functools
import os

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"

import chex
import jax
import jax.flatten_util
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config
from kickstarting.learning import update
from tests import small_ring
from tests.counting_environment import SPEC


def setUpModule():
    small_ring.compile_quickly()


CONFIG = small_ring.small_config(
    batch_size=8,
    loss=agent_config.LossConfig(
        value_normalisation=True, advantage_normalisation=True
    ),
    kickstarting=config.KickstartingConfig(
        teachers=(("test:counting", "any"),), schedule="constant"
    ),
)


def _hyperparameters(
    *,
    learning_rate: float = 1e-3,
    epsilon: float = 0.01,
    weight: float = 0.5,
    discount: float = 0.99,
) -> trajectory.Hyperparameters:
    return trajectory.Hyperparameters(
        learning_rate=np.float32(learning_rate),
        entropy_cost=np.float32(0.01),
        optimiser_epsilon=np.float32(epsilon),
        kickstarting_weight=np.full((1, 1), weight, np.float32),
        discount=np.float32(discount),
    )


@functools.cache
def _update(num_devices: int, optimiser: str = "adam") -> update.Update:
    """Returns an update that all tests share: it takes seconds to compile."""
    run = dataclasses.replace(
        CONFIG, optimiser=agent_config.OptimiserConfig(name=optimiser)
    )
    devices = jax.local_devices()[:num_devices]
    return update.Update(Agent(SPEC, run.network), run, devices)


@functools.cache
def _fresh(optimiser: str) -> update.LearnerState:
    return jax.device_get(_update(1, optimiser).init(jax.random.key(0)))


def _make(num_devices: int, optimiser: str = "adam"):
    made = _update(num_devices, optimiser)
    return made, made.replicate(_fresh(optimiser))


@functools.cache
def _batch(seed: int = 0) -> trajectory.Trajectory:
    return small_ring.random_batch(CONFIG, SPEC, seed)


class UpdateTest(parameterized.TestCase):
    @parameterized.parameters("adam", "rmsprop")
    def test_one_device_four_and_eight_give_the_same_parameters(self, optimiser):
        results, norms = [], []
        for num_devices in (1, 4, 8):
            made, state = _make(num_devices, optimiser)
            begin = np.array(made.flat_parameters(state))
            for seed in range(10):
                batch = made.shard(_batch(seed))
                state, metrics = made(state, batch, _hyperparameters())
            results.append(np.array(made.flat_parameters(state)))
            norms.append(float(metrics["gradient_norm"][0]))
            np.testing.assert_array_equal(state.updates, np.full(num_devices, 10))
            self.assertEqual(made.compilations(), 1)
            self.assertGreater(np.abs(results[-1] - begin).max(), 1e-3)
        for result, norm in zip(results[1:], norms[1:], strict=True):
            np.testing.assert_allclose(results[0], result, rtol=1e-4, atol=2e-5)
            self.assertAlmostEqual(norms[0] / norm, 1.0, places=3)

    def test_values_that_are_held_at_once_change_nothing(self):
        made, state = _make(4)
        # Values that are normalised by something.
        state, _ = made(state, made.shard(_batch()), _hyperparameters())
        batch = made.shard(_batch(1))
        values = made.values(state, batch)
        steps = CONFIG.unroll_length + 1
        self.assertEqual(values.shape, (4, CONFIG.batch_size // 4, steps))
        again = made.replicate(made.on_host(state))
        held, _ = made(again, batch, _hyperparameters(), values)
        free, _ = made(state, batch, _hyperparameters())
        np.testing.assert_allclose(
            made.flat_parameters(held), made.flat_parameters(free), rtol=1e-4, atol=1e-6
        )

    def test_a_critic_warms_up_alone(self):
        run = dataclasses.replace(
            CONFIG,
            loss=dataclasses.replace(CONFIG.loss, critic_warm_up_updates=2),
        )
        made = update.Update(
            Agent(SPEC, run.network), run, devices=jax.local_devices()[:1]
        )
        state = made.replicate(_fresh("adam"))
        for number in range(3):
            before = made.on_host(state).params
            state, _ = made(state, made.shard(_batch(number)), _hyperparameters())
            after = made.on_host(state).params
            moved = {
                part
                for part in before
                if any(
                    np.any(old != new)
                    for old, new in zip(
                        *map(jax.tree.leaves, (before[part], after[part])), strict=True
                    )
                )
            }
            self.assertEqual(moved, {"value"} if number < 2 else set(before))
            # The first steps of the others are no longer than they would be.
            steps = jax.tree.map(lambda old, new: np.abs(new - old), before, after)
            self.assertLess(np.max(steps["policy"]["kernel"]), 1.5e-3)

    def test_all_devices_hold_the_same_parameters(self):
        made, state = _make(4)
        state, _ = made(state, made.shard(_batch()), _hyperparameters())
        for leaf in jax.tree.leaves(state.params):
            for device in range(1, 4):
                np.testing.assert_array_equal(leaf[0], leaf[device])

    def test_changed_hyperparameters_compile_nothing(self):
        made, state = _make(1)
        state, _ = made(state, made.shard(_batch()), _hyperparameters())
        with jax.log_compiles(), self.assertLogs("jax", "WARNING"):
            jax.jit(lambda x: x + 1)(1.0)
        with jax.log_compiles(), self.assertNoLogs("jax", "WARNING"):
            for step in range(4):
                hyperparameters = trajectory.Hyperparameters(
                    learning_rate=np.float32(1e-3 / (step + 1)),
                    entropy_cost=np.float32(0.01 * step),
                    optimiser_epsilon=np.float32(1e-7 * (step + 1)),
                    kickstarting_weight=np.full((1, 1), 1 - step / 3, np.float32),
                    discount=np.float32(0.9 + 0.02 * step),
                )
                batch = made.shard(_batch())
                state, _ = made(state, batch, hyperparameters)
        self.assertEqual(made.compilations(), 1)

    @parameterized.parameters(False, True)
    def test_after_a_warm_up_the_first_update_compiles_nothing(self, held_values):
        run = dataclasses.replace(
            CONFIG, loss=dataclasses.replace(CONFIG.loss, held_values=held_values)
        )
        made = update.Update(Agent(SPEC, run.network), run, jax.local_devices()[:4])
        made.warm_up(jax.tree.map(lambda x: x[0], _batch()))
        state, batch = made.replicate(_fresh("adam")), made.shard(_batch())
        with jax.log_compiles(), self.assertNoLogs("jax", "WARNING"):
            held = made.values(state, batch) if held_values else None
            made(state, batch, _hyperparameters(), held)
        made.warm_up(jax.tree.map(lambda x: x[0], _batch()))
        self.assertEqual(made.compilations(), 1)

    def test_hyperparameters_are_used(self):
        made, state = _make(1)
        batch = made.shard(_batch())

        def of_policy(state: update.LearnerState) -> np.ndarray:
            # PopArt rescales the value head whatever the learning rate.
            params = {k: v for k, v in state.params.items() if k != "value"}
            return np.array(jax.flatten_util.ravel_pytree(params)[0])

        begin = of_policy(state)

        def after(**changes: float) -> np.ndarray:
            state, _ = made(_make(1)[1], batch, _hyperparameters(**changes))
            return of_policy(state)

        np.testing.assert_array_equal(after(learning_rate=0.0), begin)
        self.assertGreater(np.abs(after() - begin).max(), 1e-4)
        self.assertGreater(np.abs(after() - after(weight=0.0)).max(), 1e-5)
        self.assertGreater(np.abs(after() - after(epsilon=10.0)).max(), 1e-5)
        self.assertGreater(np.abs(after() - after(discount=0.0)).max(), 1e-5)

    @parameterized.parameters(
        ("reward", np.nan), ("behaviour_logits", np.inf), ("teacher_logits", np.nan)
    )
    def test_a_step_to_what_is_not_finite_is_not_taken(self, field, value):
        made, state = _make(4)
        state, _ = made(state, made.shard(_batch()), _hyperparameters())
        before = jax.device_get(state)
        parameters_before = np.array(made.flat_parameters(state))
        spoilt = np.array(getattr(_batch(1), field))
        # What one device sees.
        spoilt[-1] = value
        bad = _batch(1)._replace(**{field: spoilt})
        state, metrics = made(state, made.shard(bad), _hyperparameters())
        chex.assert_trees_all_equal(
            jax.device_get(state), before._replace(updates=before.updates + 1)
        )
        np.testing.assert_array_equal(metrics["skipped"], 1.0)
        state, metrics = made(state, made.shard(_batch(2)), _hyperparameters())
        np.testing.assert_array_equal(metrics["skipped"], 0.0)
        self.assertEqual(made.compilations(), 1)
        change = np.array(made.flat_parameters(state)) - parameters_before
        self.assertGreater(float(np.abs(change).max()), 1e-6)

    def test_the_policy_lag_is_counted_in_updates(self):
        made, state = _make(1)
        batch = made.shard(_batch())
        lags = []
        for _ in range(3):
            state, metrics = made(state, batch, _hyperparameters())
            lags.append(float(metrics["policy_lag"][0]))
        self.assertEqual(lags, [0.0, 1.0, 2.0])
        # Acted by a learner that died: its unrolls are ahead of its successor.
        ahead = batch._replace(params_version=batch.params_version + 100)
        _, metrics = made(state, ahead, _hyperparameters())
        self.assertEqual(float(metrics["policy_lag"][0]), 0.0)

    def test_a_batch_is_split_in_order_and_stays_uint8(self):
        batch = _batch()
        sharded = _update(4).shard(batch)
        self.assertEqual(sharded.observation.pixels.shape[:2], (4, 2))
        self.assertEqual(sharded.observation.pixels.dtype, np.uint8)
        np.testing.assert_array_equal(
            np.reshape(sharded.action, batch.action.shape), batch.action
        )

    def test_a_batch_that_cannot_be_split_is_refused_in_one_line(self):
        run = dataclasses.replace(CONFIG, batch_size=6)
        with self.assertRaisesRegex(config.ConfigError, r"\(6\).* 8 devices") as caught:
            update.Update(Agent(SPEC, run.network), run)
        self.assertNotIn("\n", str(caught.exception))

    def test_flat_parameters_are_what_actors_unravel(self):
        made, state = _make(1)
        flat = np.array(made.flat_parameters(state))
        self.assertEqual(flat.dtype, np.float32)
        params = small_ring.unravel(Agent(SPEC, CONFIG.network), flat)
        jax.tree.map(
            np.testing.assert_array_equal,
            params,
            jax.tree.map(lambda x: x[0], state.params),
        )


class SharedTest(absltest.TestCase):
    def _shared(self, **changed) -> update.Update:
        run = dataclasses.replace(CONFIG, **changed)
        return update.shared(Agent(SPEC, run.network), run)

    def test_what_is_not_compiled_makes_no_other_update(self):
        one = self._shared()
        for changed in (
            {"logdir": "another", "seed": 7},
            {"total_frames": 10**9},
            {"evaluation_episodes": 0, "evaluation_minutes": 1.0, "show": False},
            {"checkpoint": config.CheckpointConfig(keep=7)},
        ):
            self.assertIs(self._shared(**changed), one)

    def test_what_is_compiled_does(self):
        one = self._shared()
        for changed in (
            {"batch_size": 16},
            {"loss": agent_config.LossConfig(discount=0.5)},
            {"network": agent_config.NetworkConfig(core_size=16)},
        ):
            self.assertIsNot(self._shared(**changed), one)


if __name__ == "__main__":
    absltest.main()
