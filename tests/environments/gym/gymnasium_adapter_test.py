"""Tests of the gym suite, on MiniGrid, BabyAI and environments of other shapes."""

from typing import Any

import gymnasium
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.environments import base
from kickstarting.environments.gym import gymnasium_adapter, instructions

_EMPTY = "MiniGrid-Empty-5x5-v0"


class _Picture(gymnasium.Env):
    """Shows one picture for ever and rewards each step alike."""

    observation_space = gymnasium.spaces.Box(0, 255, (5, 5, 3), np.uint8)
    action_space = gymnasium.spaces.Discrete(2)
    _picture = np.full((5, 5, 3), 7, np.uint8)

    def __init__(self, reward: Any = 1.0, information: dict | None = None) -> None:
        self._reward = reward
        self._information = information or {}

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple:
        super().reset(seed=seed)
        return self._picture, self._information

    def step(self, action: int) -> tuple:
        return self._picture, self._reward, False, False, self._information


class _Countdown(gymnasium.Env):
    """Takes actions 2 and 0, 1 and 0, then 0 alone, after which nothing is left.

    How it says so is its `told`; unsaid, it takes all of them.
    """

    action_space = gymnasium.spaces.Discrete(3)

    def __init__(self, told: str, ends: str) -> None:
        image = gymnasium.spaces.Box(0, 255, (5, 5, 3), np.uint8)
        mask = gymnasium.spaces.MultiBinary(3)
        self.observation_space = gymnasium.spaces.Dict(
            {"image": image, **({"action_mask": mask} if told == "observed" else {})}
        )
        self._told = told
        self._ends = ends
        # The same array in every step, as some environments have it.
        self._mask = np.zeros(3, np.int8)
        self._left = 3

    def _seen(self) -> tuple[dict, dict]:
        self._mask[:] = [self._left > 0, self._left == 2, self._left == 3]
        told = {"action_mask": self._mask}
        image = {"image": np.zeros((5, 5, 3), np.uint8)}
        if self._told == "observed":
            return image | told, {}
        return image, told if self._told == "information" else {}

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple:
        super().reset(seed=seed)
        self._left = 3
        return self._seen()

    def step(self, action: int) -> tuple:
        self._left -= 1
        observation, information = self._seen()
        over = self._left == 0
        ends = (over and self._ends == kind for kind in ("terminated", "truncated"))
        return observation, 1.0, *ends, information


def _countdown(told: str, ends: str = "truncated") -> str:
    level = f"Countdown-{told}-{ends}-v0"
    gymnasium.register(level, _Countdown, kwargs={"told": told, "ends": ends})
    return level


def _make(
    level: str, seed: int = 1, action_repeat: int = 1
) -> gymnasium_adapter.GymnasiumEnvironment:
    settings = base.TaskSettings(f"gym:{level}", seed, action_repeat)
    return gymnasium_adapter.make(settings)


class GymnasiumAdapterTest(parameterized.TestCase):
    @parameterized.parameters(
        (_EMPTY, 7), ("MiniGrid-DoorKey-6x6-v0", 7), ("BabyAI-GoToLocal-v0", 7)
    )
    def test_grids_keep_their_shape(self, level: str, num_actions: int) -> None:
        environment = _make(level)
        self.assertEqual(environment.spec.frame_shape, (7, 7, 3))
        self.assertEqual(environment.spec.instruction_length, 24)
        self.assertLen(environment.spec.action_names, num_actions)
        self.assertEqual(
            environment.spec.action_names[:3], ("left", "right", "forward")
        )
        self.assertEqual(environment.spec, gymnasium_adapter.spec(level, 1))
        timestep = environment.reset()
        for name, spec in environment.observation_spec().items():
            spec.validate(timestep.observation[name])

    def test_mission_becomes_the_instruction(self) -> None:
        environment = _make(_EMPTY)
        observation = environment.reset().observation
        mission = "get to the green goal square"
        self.assertEqual(environment.instruction, mission)
        np.testing.assert_array_equal(
            observation[base.INSTRUCTION], instructions.encode(mission, 24)
        )

    def test_mission_changes_with_the_episode(self) -> None:
        environment = _make("BabyAI-GoToLocal-v0")
        missions = {
            tuple(environment.reset().observation[base.INSTRUCTION]) for _ in range(8)
        }
        self.assertGreater(len(missions), 1)

    def test_seeds_decide_the_episodes(self) -> None:
        def frames(seed: int) -> np.ndarray:
            environment = _make("MiniGrid-DoorKey-8x8-v0", seed)
            return np.stack(
                [environment.reset().observation[base.PIXELS] for _ in range(4)]
            )

        np.testing.assert_array_equal(frames(3), frames(3))
        self.assertFalse(np.array_equal(frames(3), frames(4)))
        self.assertFalse(np.array_equal(frames(3)[0], frames(3)[1]))

    def test_goal_terminates(self) -> None:
        environment = _make(_EMPTY)
        environment.reset()
        forward, right = 2, 1
        for action in (forward, forward, right, forward):
            self.assertFalse(environment.step(action).last())
        timestep = environment.step(forward)
        self.assertTrue(timestep.last())
        self.assertEqual(timestep.discount, 0.0)
        self.assertAlmostEqual(timestep.reward, 1 - 0.9 * 5 / 100)
        self.assertTrue(environment.step(forward).first())

    @parameterized.parameters(1, 4)
    def test_time_limit_truncates(self, action_repeat: int) -> None:
        environment = _make(_EMPTY, action_repeat=action_repeat)
        environment.reset()
        num_steps = 1
        while not (timestep := environment.step(0)).last():
            num_steps += 1
        self.assertEqual(timestep.discount, 1.0)
        self.assertEqual(num_steps, 100 // action_repeat)

    def test_sums_rewards_over_the_repeated_action(self) -> None:
        gymnasium.register("Repeated-v0", _Picture)
        environment = _make("Repeated-v0", action_repeat=3)
        environment.reset()
        self.assertEqual(environment.step(0).reward, 3.0)

    @parameterized.parameters(
        (np.ones(2), r"array\(\[1., 1.\]\)"),
        (None, "None"),
        (1e39, r"1e\+39"),
        (float("nan"), "nan"),
        (np.float64("-inf"), "-inf"),
        ("1", "'1'"),
        (1j, "1j"),
    )
    def test_a_reward_that_is_no_number_is_an_error(
        self, reward: Any, told: str
    ) -> None:
        environment = self._rewarding(reward)
        with self.assertRaisesRegex(
            base.EnvironmentConfigError,
            f"^gym:Rewarding-v0: its reward is {told}, but one number",
        ):
            environment.step(0)

    @parameterized.parameters(
        (1,), (1.0,), (True,), (np.float32(1),), (np.ones(1, int),), (np.array(1.0),)
    )
    def test_a_reward_may_be_any_single_number(self, reward: Any) -> None:
        given = self._rewarding(reward).step(0).reward
        self.assertIsInstance(given, float)
        self.assertEqual(given, 1.0)

    def _rewarding(self, reward: Any) -> gymnasium_adapter.GymnasiumEnvironment:
        gymnasium.registry.pop("Rewarding-v0", None)
        gymnasium.register("Rewarding-v0", _Picture, kwargs={"reward": reward})
        environment = _make("Rewarding-v0")
        environment.reset()
        return environment

    def test_a_mask_of_other_actions_is_an_error(self) -> None:
        information = {"action_mask": np.ones(3, np.int8)}
        gymnasium.register("Mask-v0", _Picture, kwargs={"information": information})
        with self.assertRaisesRegex(
            base.EnvironmentConfigError, r"gym:Mask-v0 .* mask \(3,\) for 2 actions"
        ):
            _make("Mask-v0").reset()

    @parameterized.parameters("information", "observed")
    def test_takes_what_the_mask_says(self, told: str) -> None:
        environment = _make(_countdown(told))
        for _ in range(2):
            environment.reset()
            masks = [environment.available_actions]
            for action in (2, 0, 0):
                timestep = environment.step(action)
                masks.append(environment.available_actions)
            self.assertTrue(timestep.last())
            # What follows the end is not decided by an action.
            np.testing.assert_array_equal(
                masks, [[1, 0, 1], [1, 1, 0], [1, 0, 0], [1, 1, 1]]
            )

    def test_takes_everything_where_nothing_is_said(self) -> None:
        for level in (_countdown("unsaid"), _EMPTY):
            environment = _make(level)
            environment.reset()
            environment.step(0)
            self.assertTrue(environment.available_actions.all())
            self.assertLen(environment.available_actions, environment.spec.num_actions)

    def test_repeats_an_action_only_as_long_as_it_is_available(self) -> None:
        environment = _make(_countdown("information", "terminated"), action_repeat=3)
        environment.reset()
        self.assertEqual(environment.step(2).reward, 1.0)
        self.assertEqual(environment.step(1).reward, 1.0)
        self.assertTrue(environment.step(0).last())

    @parameterized.parameters(
        ("CartPole-v1", r"observes Box\(.*an image is needed"),
        ("Pendulum-v1", "only Discrete ones"),
        ("MiniGrid-Dorkey-6x6-v0", "mean 'MiniGrid-DoorKey-6x6-v0'"),
        ("MiniGrid-DoorKey-6x6-v9", "no level 'MiniGrid-DoorKey-6x6-v9'"),
        ("Nonsense", "no level 'Nonsense'"),
    )
    def test_what_does_not_fit_is_refused_in_one_line(
        self, level: str, message: str
    ) -> None:
        for refuse in (lambda: _make(level), lambda: gymnasium_adapter.spec(level, 1)):
            with self.assertRaisesRegex(base.EnvironmentConfigError, message) as caught:
                refuse()
            self.assertNotIn("\n", str(caught.exception))

    def test_lists_minigrid_and_babyai(self) -> None:
        names = gymnasium_adapter.levels()
        self.assertIn(_EMPTY, names)
        self.assertIn("BabyAI-GoToLocal-v0", names)
        self.assertNotIn("CartPole-v1", names)


if __name__ == "__main__":
    absltest.main()
