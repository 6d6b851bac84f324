import jax
import numpy as np
from absl.testing import absltest

from benchmarks.diagnosis import stale_states
from kickstarting.acting import evaluator
from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.environments import suites
from launch.reports import policies

_TASK = "gym:MiniGrid-Empty-5x5-v0"
_LENGTH = 8


def _policy(seed: int) -> policies.Policy:
    spec = suites.environment_spec(_TASK, 1)
    network = agent_config.NetworkConfig(core_size=16, torso="small_grid")
    agent = Agent(spec, network)
    params = agent.init_params(jax.random.key(seed))
    return policies.Policy(agent, params, spec, network, (_TASK,), 0)


class StaleStatesTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.old = _policy(0)
        recorder = stale_states.Recorder(cls.old.agent, cls.old.params, seed=1)
        evaluator.evaluate(
            _TASK,
            recorder,
            num_episodes=2,
            seed=1,
            action_repeat=1,
            num_environments=1,
        )
        cls.steps = recorder.steps

    def test_plays_whole_episodes(self):
        self.assertTrue(self.steps[0].first[0])
        self.assertEqual(sum(int(step.first[0]) for step in self.steps), 2)

    def test_the_same_policy_comes_to_the_states_that_it_stored(self):
        found = stale_states.differences(self.old, self.old, self.steps, _LENGTH)
        np.testing.assert_allclose(found.pop("by_quarter_of_the_unroll"), 0, atol=1e-5)
        np.testing.assert_allclose(list(found.values()), 0, atol=1e-5)

    def test_another_policy_does_not(self):
        found = stale_states.differences(self.old, _policy(2), self.steps, _LENGTH)
        self.assertGreater(found["new_against_old"], 1e-3)
        self.assertGreater(found["stored_against_own_state"], 1e-3)
        # An unroll that opens an episode has no state to be stale.
        opening = self.steps[:_LENGTH]
        found = stale_states.differences(self.old, _policy(2), opening, _LENGTH)
        self.assertGreater(found["new_against_old"], 1e-3)
        self.assertLess(found["stored_against_own_state"], 1e-5)


if __name__ == "__main__":
    absltest.main()
