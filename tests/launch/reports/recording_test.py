"""The video's policies: over the available actions, as those that act."""

from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.environments import suites
from kickstarting.reporting import video
from launch.reports import policies, recording
from tests import small_ring
from tests.environments import scripted

TASK = scripted.task(length=4, one_action=True)


class _Teacher:
    """Advises an action that is available in every other step."""

    action_names = scripted.SPEC.action_names

    def initial_state(self, batch_size):
        return np.zeros(batch_size)

    def label(self, observation, first, state):
        logits = np.where([True, False], -np.inf, np.zeros((*first.shape, 2)))
        return logits.astype(np.float32), state


class EpisodeFramesTest(parameterized.TestCase):
    @parameterized.parameters(True, False)
    def test_shows_and_takes_the_available_actions(self, greedy):
        network = agent_config.NetworkConfig(core_size=4)
        agent = Agent(scripted.SPEC, network)
        params = small_ring.unravel(agent, small_ring.random_parameters(agent))
        student = policies.Policy(
            agent, params, scripted.SPEC, network, tasks=(TASK,), frames=0
        )
        frames = []

        def compose_frame(*shown) -> np.ndarray:
            frames.append(shown)
            return np.zeros((2, 2, 3), np.uint8)

        with (
            mock.patch.object(suites, "make_apart", scripted.make),
            mock.patch.object(video, "compose_frame", compose_frame),
        ):
            shown = recording.episode_frames(
                student, _Teacher(), TASK, seed=1, greedy=greedy, max_steps=9
            )
            self.assertLen(list(shown), 4)
        for step, (_, _, probabilities, advice, _, action) in enumerate(frames):
            expected = np.eye(2)[step % 2]
            np.testing.assert_array_equal(probabilities, expected)
            np.testing.assert_array_equal(advice, expected)
            self.assertEqual(action, step % 2)


if __name__ == "__main__":
    absltest.main()
