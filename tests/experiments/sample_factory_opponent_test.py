"""Tests of the environment that the opponent plays; sample-factory is not needed."""

import pathlib

import gymnasium
import numpy as np
from absl.testing import absltest

from experiments import sample_factory_opponent
from kickstarting.environments import base
from kickstarting.environments.doom import doom

_TASK = "doom:basic"


class GymnasiumDoomTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "episodes.csv"
        self.environment = sample_factory_opponent.GymnasiumDoom(
            _TASK, 5, str(self.path)
        )
        self.addCleanup(self.environment.close)

    def _play(self, actions: np.random.Generator) -> tuple[int, list[float], bool]:
        """Plays one episode; returns its steps, rewards and whether it was cut."""
        self.environment.reset()
        rewards = []
        while True:
            action = actions.integers(self.environment.action_space.n)
            observation, reward, terminated, truncated, _ = self.environment.step(
                action
            )
            self.assertTrue(self.environment.observation_space.contains(observation))
            self.assertFalse(terminated and truncated)
            rewards.append(reward)
            if terminated or truncated:
                return len(rewards), rewards, truncated

    def test_spaces_are_those_of_the_project(self) -> None:
        self.assertIsInstance(self.environment, gymnasium.Env)
        spec = doom.spec("basic", base.ACTION_REPEAT)
        self.assertEqual(self.environment.action_space.n, spec.num_actions)
        space = self.environment.observation_space["obs"]
        self.assertEqual((space.shape, space.dtype), ((3, 72, 96), np.uint8))
        observation, info = self.environment.reset(seed=1)
        self.assertTrue(self.environment.observation_space.contains(observation))
        self.assertEmpty(info)

    def test_plays_as_the_project_does(self) -> None:
        ours = doom.DoomEnvironment(base.TaskSettings(_TASK, 5))
        self.addCleanup(ours.close)
        timestep = ours.reset()
        theirs, _ = self.environment.reset()
        for action in (2, 2, 3, 3, 3, 2, 0):
            np.testing.assert_array_equal(
                np.moveaxis(theirs["obs"], 0, -1), timestep.observation[base.PIXELS]
            )
            timestep = ours.step(action)
            theirs, reward, *_ = self.environment.step(action)
            self.assertEqual(reward, timestep.reward)

    def test_writes_one_line_for_each_episode(self) -> None:
        actions = np.random.default_rng(1)
        episodes = [self._play(actions) for _ in range(4)]
        frames, seconds, returns = np.loadtxt(self.path, delimiter=",", ndmin=2).T
        # Sixteen environments play at four frames a step; this one counts for all.
        steps = np.cumsum([steps for steps, _, _ in episodes])
        np.testing.assert_array_equal(frames, steps * 4 * 16)
        np.testing.assert_allclose(
            returns, [sum(rewards) for _, rewards, _ in episodes]
        )
        self.assertTrue(np.all(np.diff(seconds, prepend=0) >= 0))

    def test_time_limit_truncates(self) -> None:
        self.environment.reset()
        truncated = False
        while not truncated:
            # There is no way forward in this level.
            _, reward, terminated, truncated, _ = self.environment.step(0)
            self.assertFalse(terminated)
            self.assertEqual(reward, -4)
        self.assertLen(self.path.read_text().splitlines(), 1)


if __name__ == "__main__":
    absltest.main()
