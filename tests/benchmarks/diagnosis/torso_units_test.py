import jax
import numpy as np
from absl.testing import absltest

from benchmarks.diagnosis import torso_units
from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.environments import suites
from launch.reports import policies

_TASK = "gym:MiniGrid-Empty-5x5-v0"


class TorsoUnitsTest(absltest.TestCase):
    def test_counts_the_units_that_live(self):
        spec = suites.environment_spec(_TASK, 1)
        network = agent_config.NetworkConfig(
            core_size=16, torso="small_grid", language=False
        )
        agent = Agent(spec, network)
        params = agent.init_params(jax.random.key(0))
        policy = policies.Policy(agent, params, spec, network, (_TASK,), 0)
        observation = torso_units._observed(policy, frames=20, seed=1)
        self.assertEqual(observation.pixels.shape, (1, 20, *spec.frame_shape))
        all_units = torso_units.units(policy, observation)

        # 48 of the 64 can only be below 0.
        bias = np.array(params["torso"]["Dense_0"]["bias"])
        bias[16:] = -1e6
        params["torso"]["Dense_0"]["bias"] = bias
        left = torso_units.units(policy._replace(params=params), observation)
        self.assertBetween(left.alive, 1 / 64, 16 / 64)
        self.assertGreater(all_units.alive, left.alive)
        self.assertLessEqual(left.largest, all_units.largest)


if __name__ == "__main__":
    absltest.main()
