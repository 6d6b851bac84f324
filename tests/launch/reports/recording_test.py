"""The video's policies: over the available actions, as those that act."""

from typing import Any
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.environments import base, suites
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


class _Rendered(scripted.ScriptedEnvironment):
    """Renders itself as it was asked to, and has a picture of its frames."""

    def __init__(self, settings: base.TaskSettings) -> None:
        super().__init__(settings)
        self._rendered = settings.rendered

    def picture(self, pixels: np.ndarray) -> np.ndarray:
        return np.full((90, 60, 3), pixels.max(), np.uint8)

    def render(self) -> np.ndarray | None:
        return np.full((9, 9, 3), self._steps, np.uint8) if self._rendered else None


class _Speaking(scripted.ScriptedEnvironment):
    """Says the same in each step."""

    @property
    def instruction(self) -> str:
        return "go"


class EpisodeFramesTest(parameterized.TestCase):
    def _frames(self, make: Any, greedy: bool) -> list[tuple]:
        """Returns what each of an episode's pictures is made of."""
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
            mock.patch.object(suites, "make_environment", make),
            mock.patch.object(video, "compose_frame", compose_frame),
        ):
            shown = recording.episode_frames(
                student, _Teacher(), TASK, seed=1, greedy=greedy, max_steps=9
            )
            self.assertLen(list(shown), 4)
        return frames

    @parameterized.parameters(True, False)
    def test_shows_and_takes_the_available_actions(self, greedy):
        frames = self._frames(scripted.make, greedy)
        for step, (game, _, probabilities, advice, _, action, _) in enumerate(frames):
            expected = np.eye(2)[step % 2]
            np.testing.assert_array_equal(probabilities, expected)
            np.testing.assert_array_equal(advice, expected)
            self.assertEqual(action, step % 2)
            np.testing.assert_array_equal(game, np.full((2, 3, 1), step))

    def test_shows_what_is_said(self):
        frames = self._frames(_Speaking, greedy=True)
        self.assertEqual([shown[-1] for shown in frames], ["go"] * 4)

    def test_shows_what_is_rendered_beside_what_is_seen(self):
        for step, (game, *_) in enumerate(self._frames(_Rendered, greedy=True)):
            seen = np.full((90, 60, 3), step, np.uint8)
            rendered = np.full((9, 9, 3), step, np.uint8)
            np.testing.assert_array_equal(game, video.beside(rendered, seen))


if __name__ == "__main__":
    absltest.main()
