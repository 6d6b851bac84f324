"""The evaluator: each environment's share of episodes, greedy and sampled play."""

import itertools
from unittest import mock

import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.acting import episodes as episodes_lib
from kickstarting.acting import evaluator
from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.environments import base, suites
from tests import counting_environment, small_ring
from tests.counting_environment import CountingBatch, Script

MINIGRID = "gym:MiniGrid-Empty-5x5-v0"
TIME_LIMIT = 100
FORWARD = 2
NETWORK = agent_config.NetworkConfig(core_size=8)


def setUpModule():
    small_ring.compile_quickly()


def _biased(agent: Agent, action: int, logit: float) -> trajectory.Params:
    """Returns parameters whose policy is the same everywhere."""
    params = jax.tree.map(
        np.zeros_like, small_ring.unravel(agent, small_ring.random_parameters(agent))
    )
    bias = params["policy"]["bias"].copy()
    bias[action] = logit
    return {**params, "policy": {**params["policy"], "bias": bias}}


class MiniGridTest(absltest.TestCase):
    """Real environments in worker processes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agent = Agent(suites.environment_spec(MINIGRID, 1), NETWORK)
        cls.params = _biased(cls.agent, FORWARD, 1.0)

    def _evaluate(self, greedy=False, **arguments) -> episodes_lib.Episodes:
        defaults = {
            "num_episodes": 4,
            "seed": 1,
            "action_repeat": 1,
            "num_environments": 2,
        }
        arguments = {**defaults, **arguments}
        player = evaluator.AgentPlayer(
            self.agent, self.params, arguments["seed"], greedy
        )
        return evaluator.evaluate(MINIGRID, player, **arguments)

    def test_greedy_takes_the_most_probable_action(self):
        # Straight on, the agent meets a wall and stays there until the time limit.
        episodes = self._evaluate(num_episodes=2, greedy=True)
        np.testing.assert_array_equal(episodes.returns, [0.0, 0.0])
        np.testing.assert_array_equal(episodes.agent_steps, [TIME_LIMIT, TIME_LIMIT])

    def test_sampling_finds_the_goal_and_repeats_with_its_seed(self):
        finished = []
        episodes = self._evaluate(watch=lambda done, steps: finished.append(done))
        self.assertGreater(episodes.returns.max(), 0.1)
        self.assertEqual(finished[-1], 4)
        self.assertEqual(finished, sorted(finished))
        # MiniGrid gives 1 - 0.9 * steps / limit at the goal: returns and steps agree.
        solved = episodes.returns > 0
        np.testing.assert_allclose(
            episodes.returns[solved],
            1 - 0.9 * episodes.agent_steps[solved] / TIME_LIMIT,
            rtol=1e-5,
        )
        again = self._evaluate()
        self.assertSequenceEqual(list(episodes.returns), list(again.returns))
        other = self._evaluate(seed=2)
        self.assertNotEqual(sorted(episodes.returns), sorted(other.returns))

    def test_it_gives_up_when_told_with_what_it_has(self):
        self.assertEmpty(self._evaluate(should_stop=lambda: True).returns)
        kept = []
        episodes = self._evaluate(
            keep=kept.append, should_stop=lambda: len(kept) >= 2, num_environments=1
        )
        whole = self._evaluate(num_environments=1)
        np.testing.assert_array_equal(episodes.returns, whole.returns[:2])
        self.assertEqual([each.episode_return for each in kept], [*episodes.returns])

    def test_an_unknown_level_is_refused(self):
        with self.assertRaisesRegex(base.EnvironmentConfigError, "Empty-5x6"):
            evaluator.evaluate(
                "gym:MiniGrid-Empty-5x6-v0",
                evaluator.AgentPlayer(self.agent, self.params, 0, greedy=False),
                num_episodes=1,
                seed=0,
                action_repeat=1,
            )


class QuotaTest(parameterized.TestCase):
    def _evaluate(
        self, scripts: list[Script], num_episodes: int, greedy=False, logit=0.0
    ):
        agent = Agent(counting_environment.SPEC, NETWORK)
        made: list[CountingBatch] = []

        def make_batch(settings, num_slots: int, unroll_length: int) -> CountingBatch:
            self.seeds = [each.seed for each in settings]
            made.append(
                CountingBatch(scripts[: len(settings)], num_slots, unroll_length)
            )
            return made[0]

        with mock.patch.object(suites, "make_batch", make_batch):
            episodes = evaluator.evaluate(
                "test:counting",
                evaluator.AgentPlayer(agent, _biased(agent, 1, logit), 3, greedy),
                num_episodes=num_episodes,
                seed=3,
                action_repeat=1,
            )
        return episodes, made[0]

    def test_short_episodes_do_not_crowd_out_long_ones(self):
        scripts = [
            Script(length=2),
            Script(length=20, delay=3),
            Script(length=5, truncation=True),
            Script(length=3),
        ]
        episodes, environments = self._evaluate(scripts, num_episodes=6)
        self.assertSequenceEqual(list(episodes.agent_steps), [2, 2, 20, 20, 5, 3])
        self.assertLen(set(self.seeds), 4)
        self.assertTrue(environments.closed)
        # A truncated episode is followed by a step that only crosses, which is none of
        # an episode's.
        self.assertLen(environments.history[2], 5)
        for script, history in zip(scripts, environments.history, strict=True):
            first = [each.reward for each in history[: script.length]]
            matches = np.isclose(episodes.returns, sum(first), rtol=1e-5)
            self.assertTrue(matches.any())

    @parameterized.parameters(True, False)
    def test_only_available_actions_are_taken(self, greedy):
        scripts = [Script(length=6, changing_actions=True)] * 4
        _, environments = self._evaluate(
            scripts, num_episodes=4, greedy=greedy, logit=20.0
        )
        for each in itertools.chain(*environments.history):
            available = counting_environment.available_actions(each.before.step, 3)
            self.assertTrue(available[each.action])
            # The favourite, where it is there.
            self.assertEqual(each.action == 1, available[1])

    def test_fewer_episodes_than_environments(self):
        episodes, environments = self._evaluate([Script(length=2)] * 4, num_episodes=3)
        self.assertLen(episodes.returns, 3)
        self.assertEqual(environments.num_environments, 3)


if __name__ == "__main__":
    absltest.main()
