"""What stable-baselines3 plays on doom; it is not needed for that."""

import numpy as np
from absl.testing import absltest

from benchmarks.peers import doom_scenario


class DoomScenarioTest(absltest.TestCase):
    def _environment(self, seed: int) -> doom_scenario.DoomScenario:
        environment = doom_scenario.DoomScenario("basic", seed)
        self.addCleanup(environment.close)
        return environment

    def test_an_action_for_each_button_and_grey_frames(self) -> None:
        environment = self._environment(1)
        # Left, right, attack.
        self.assertEqual(environment.action_space.n, 3)
        observation, info = environment.reset(seed=5)
        self.assertTrue(environment.observation_space.contains(observation))
        self.assertEqual(observation.shape, (100, 160, 1))
        self.assertGreater(observation.std(), 0)
        self.assertEmpty(info)

    def test_the_time_limit_ends_the_return(self) -> None:
        environment = self._environment(1)
        environment.reset()
        rewards = []
        ended = False
        while not ended:
            # To the wall, and on.
            observation, reward, ended, truncated, _ = environment.step(0)
            self.assertFalse(truncated)
            rewards.append(reward)
        # One a frame, as the scenario has it.
        self.assertEqual(rewards[:5], [-4.0] * 5)
        self.assertLen(rewards, 75)
        self.assertFalse(observation.any())

    def test_the_seed_decides_the_episodes(self) -> None:
        first, same, other = (
            np.stack([environment.reset()[0] for _ in range(3)])
            for environment in map(self._environment, (7, 7, 8))
        )
        np.testing.assert_array_equal(first, same)
        self.assertTrue((first != other).any())
        # The monster stands elsewhere in each.
        self.assertTrue((first[0] != first[1]).any())


if __name__ == "__main__":
    absltest.main()
