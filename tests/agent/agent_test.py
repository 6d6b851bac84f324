"""The agent: parameter counts, step against unroll, resets, refusals."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.agent import agent as agent_lib
from kickstarting.agent import trajectory
from kickstarting.config.agent import NetworkConfig
from kickstarting.config.run import ConfigError
from kickstarting.environments import base
from kickstarting.environments.doom import doom

GRID = (7, 7, 3)
FRAME = (20, 28, 3)


def _spec(frame_shape, instruction_length=0, num_actions=5) -> base.EnvironmentSpec:
    names = tuple(f"action_{i}" for i in range(num_actions))
    return base.EnvironmentSpec(frame_shape, instruction_length, names, 4)


def _observation(spec, *leading) -> trajectory.Observation:
    random = np.random.default_rng(0)
    return trajectory.Observation(
        pixels=random.integers(0, 256, (*leading, *spec.frame_shape), np.uint8),
        instruction=random.integers(
            0, 3, (*leading, spec.instruction_length), np.int32
        ),
        last_action=random.integers(0, spec.num_actions, leading, np.int32),
        last_reward=random.normal(size=leading).astype(np.float32),
    )


class AgentTest(parameterized.TestCase):
    @parameterized.parameters(
        # (torso, L, parameters, the paper's millions)
        ("shallow", 16, 1_230_446, 1.2),
        ("shallow", 0, 1_123_130, 1.1),
        ("deep", 16, 1_628_030, 1.6),
        ("deep", 0, 1_520_714, 1.5),
    )
    def test_parameter_counts(self, torso, length, expected, millions):
        spec = base.EnvironmentSpec((72, 96, 3), length, doom.ACTION_NAMES, 4)
        agent = agent_lib.Agent(spec, NetworkConfig(torso=torso))
        count = agent_lib.num_parameters(
            jax.eval_shape(agent.init_params, jax.random.key(0))
        )
        self.assertEqual(count, expected)
        self.assertEqual(round(count / 1e6, 1), millions)

    @parameterized.parameters(
        ("auto", GRID, 0),
        ("auto", FRAME, 4),
        ("deep", FRAME, 0),
        ("grid", GRID, 3),
        ("small_grid", GRID, 3),
    )
    def test_unroll_equals_steps(self, torso, frame_shape, instruction_length):
        batch, length = 2, 5
        spec = _spec(frame_shape, instruction_length)
        agent = agent_lib.Agent(spec, NetworkConfig(torso=torso, core_size=16))
        params = jax.jit(agent.init_params)(jax.random.key(0))
        observation = _observation(spec, batch, length)
        first = np.array([[0, 0, 1, 0, 0], [1, 0, 0, 0, 1]], bool)
        state = jax.tree.map(lambda x: x + 0.5, agent.initial_state(batch))
        output, last = jax.jit(agent.unroll)(params, observation, first, state)
        chex.assert_shape(output.logits, (batch, length, spec.num_actions))
        chex.assert_shape(output.value, (batch, length, 1))

        step = jax.jit(agent.step)
        for t in range(length):
            stepped, state = step(
                params,
                jax.tree.map(lambda x, t=t: x[:, t], observation),
                first[:, t],
                state,
            )
            chex.assert_shape(stepped.logits, (batch, spec.num_actions))
            chex.assert_shape(stepped.value, (batch, 1))
            chex.assert_trees_all_close(
                stepped,
                jax.tree.map(lambda x, t=t: x[:, t], output),
                rtol=1e-4,
                atol=1e-5,
            )
        chex.assert_trees_all_close(state, last, rtol=1e-4, atol=1e-5)

    def test_state_is_reset_where_an_episode_opens(self):
        spec = _spec(GRID)
        agent = agent_lib.Agent(spec, NetworkConfig(core_size=8))
        params = jax.jit(agent.init_params)(jax.random.key(0))
        observation = _observation(spec, 2)
        dirty = jax.tree.map(lambda x: x + 1.0, agent.initial_state(2))
        opens = jnp.array([True, False])
        step = jax.jit(agent.step)
        output, _ = step(params, observation, opens, dirty)
        clean, _ = step(params, observation, opens, agent.initial_state(2))
        np.testing.assert_array_equal(output.logits[0], clean.logits[0])
        self.assertGreater(np.abs(output.logits[1] - clean.logits[1]).max(), 1e-5)

    def test_inputs_of_the_core_matter(self):
        spec = _spec(GRID, instruction_length=3)
        agent = agent_lib.Agent(spec, NetworkConfig(core_size=8))
        params = jax.jit(agent.init_params)(jax.random.key(0))
        state, first = agent.initial_state(1), jnp.array([False])
        observation = _observation(spec, 1)._replace(
            last_action=jnp.array([0]), last_reward=jnp.array([0.5])
        )

        step = jax.jit(agent.step)

        def logit(**changed):
            changed = observation._replace(**changed)
            return float(step(params, changed, first, state)[0].logits[0, 0])

        self.assertNotEqual(logit(), logit(last_action=jnp.array([1])))
        self.assertNotEqual(logit(), logit(last_reward=jnp.array([0.7])))
        self.assertNotEqual(logit(), logit(instruction=jnp.array([[2, 2, 2]])))
        # Rewards are clipped to [-1, 1] on their way in.
        self.assertEqual(
            logit(last_reward=jnp.array([1.0])), logit(last_reward=jnp.array([9.0]))
        )

    def test_without_language_the_instruction_is_not_seen(self):
        spec = _spec(GRID, instruction_length=3)
        deaf = agent_lib.Agent(spec, NetworkConfig(core_size=8, language=False))
        params = jax.jit(deaf.init_params)(jax.random.key(0))
        self.assertNotIn("language", params)
        # What is left is the network of a task without instructions, seed for seed.
        silent = agent_lib.Agent(_spec(GRID), NetworkConfig(core_size=8))
        chex.assert_trees_all_equal(
            params, jax.jit(silent.init_params)(jax.random.key(0))
        )
        observation = _observation(spec, 2, 4)
        other = observation._replace(instruction=observation.instruction + 1)
        unroll = jax.jit(deaf.unroll)
        state, first = deaf.initial_state(2), np.zeros((2, 4), bool)
        chex.assert_trees_all_equal(
            unroll(params, observation, first, state),
            unroll(params, other, first, state),
        )

    def test_first_policy_is_nearly_uniform(self):
        spec = _spec(FRAME)
        agent = agent_lib.Agent(spec, NetworkConfig(core_size=32))
        params = jax.jit(agent.init_params)(jax.random.key(0))
        output, _ = jax.jit(agent.step)(
            params, _observation(spec, 8), jnp.ones(8, bool), agent.initial_state(8)
        )
        np.testing.assert_allclose(jax.nn.softmax(output.logits), 0.2, atol=0.1)

    @parameterized.parameters(
        ((7, 7, 3), "grid"),
        ((16, 16, 2), "grid"),
        ((25, 25, 3), "grid"),
        ((26, 26, 3), "shallow"),
        ((72, 96, 3), "shallow"),
    )
    def test_auto_torso(self, frame_shape, torso):
        agent = agent_lib.Agent(_spec(frame_shape), NetworkConfig())
        self.assertEqual(agent.torso, torso)

    @parameterized.parameters(
        ("grid", (72, 96, 3), "grid torso is for frames up to 25"),
        ("small_grid", (72, 96, 3), "small_grid torso is for frames up to 25"),
        ("shallow", (7, 7, 3), "needs frames of 20x20 or more"),
        ("auto", (17, 26, 3), "needs frames of 20x20 or more"),
    )
    def test_unfit_torso_is_refused_in_one_line(self, torso, frame_shape, message):
        with self.assertRaisesRegex(ConfigError, message) as caught:
            agent_lib.Agent(_spec(frame_shape), NetworkConfig(torso=torso))
        self.assertNotIn("\n", str(caught.exception))

    def test_wrong_shapes_are_refused(self):
        spec = _spec(GRID)
        agent = agent_lib.Agent(spec, NetworkConfig(core_size=8))
        params = jax.jit(agent.init_params)(jax.random.key(0))
        with self.assertRaises(AssertionError):
            agent.unroll(
                params,
                _observation(spec, 2, 3),
                jnp.zeros((2, 3), bool),
                agent.initial_state(3),
            )


if __name__ == "__main__":
    # Compiling takes most of the time of these tests.
    jax.config.update("jax_disable_most_optimizations", True)
    absltest.main()
