"""The policy: the learner's flat parameters are those that it acts with."""

import jax
import jax.flatten_util
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.acting import policy
from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.environments import base
from tests import small_ring


def setUpModule():
    small_ring.compile_quickly()


class UnravellerTest(parameterized.TestCase):
    @parameterized.parameters(
        ((7, 7, 3), "grid", 4), ((72, 96, 3), "shallow", 0), ((72, 96, 3), "deep", 2)
    )
    def test_parameters_are_found_again(self, frame_shape, torso, instruction_length):
        spec = base.EnvironmentSpec(frame_shape, instruction_length, ("a", "b"), 1)
        agent = Agent(spec, agent_config.NetworkConfig(torso=torso, core_size=8))
        flat = small_ring.random_parameters(agent)
        params = policy.unraveller(agent)(flat)
        shapes = jax.eval_shape(agent.init_params, jax.random.key(0))
        self.assertEqual(jax.tree.map(np.shape, params), jax.tree.map(np.shape, shapes))
        again, _ = jax.flatten_util.ravel_pytree(jax.device_get(params))
        np.testing.assert_array_equal(again, flat)


if __name__ == "__main__":
    absltest.main()
