"""The drawing of a grid beside MiniGrid's own pictures."""

import gymnasium
import numpy as np
from absl.testing import absltest, parameterized
from minigrid import wrappers

from kickstarting.environments import base, suites
from kickstarting.environments.gym import grid_picture, gymnasium_adapter

_LEVELS = ("DoorKey-8x8", "FourRooms", "KeyCorridorS4R3", "LavaCrossingS9N2")
_TILE_SIZE = 12


def _steps(environment: gymnasium.Env, seed: int, count: int = 60):
    """Yields observations of an episode of random actions, which picks things up."""
    random = np.random.default_rng(seed)
    observation, _ = environment.reset(seed=seed)
    for _ in range(count):
        yield observation["image"]
        action = random.choice(6, p=[0.2, 0.2, 0.3, 0.2, 0.05, 0.05])
        observation, _, terminated, truncated, _ = environment.step(action)
        if terminated or truncated:
            observation, _ = environment.reset()


class GridPictureTest(parameterized.TestCase):
    @parameterized.parameters(*_LEVELS)
    def test_the_view_is_drawn_as_minigrid_draws_it(self, level: str) -> None:
        environment = gymnasium.make(f"MiniGrid-{level}-v0")
        for seed in range(3):
            for codes in _steps(environment, seed):
                np.testing.assert_array_equal(
                    grid_picture.draw(codes, _TILE_SIZE),
                    environment.unwrapped.get_pov_render(_TILE_SIZE),
                )

    @parameterized.parameters(*_LEVELS, "RedBlueDoors-8x8")
    def test_the_whole_is_drawn_as_minigrid_draws_it(self, level: str) -> None:
        environment = wrappers.FullyObsWrapper(gymnasium.make(f"MiniGrid-{level}-v0"))
        for codes in _steps(environment, 1, 20):
            np.testing.assert_array_equal(
                grid_picture.draw(codes, _TILE_SIZE),
                environment.unwrapped.get_full_render(False, _TILE_SIZE),
            )

    def test_other_codes_are_left(self) -> None:
        codes = np.full((7, 7, 3), 40, np.uint8)
        self.assertIsNone(grid_picture.draw(codes, _TILE_SIZE))


class EnvironmentPicturesTest(absltest.TestCase):
    def _make(self, rendered: bool) -> base.SpecifiedEnvironment:
        task = "gym:MiniGrid-DoorKey-8x8-v0"
        settings = base.TaskSettings(task, 1, 1, rendered=rendered)
        environment = suites.make_environment(settings)
        self.addCleanup(environment.close)
        return environment

    def test_it_renders_itself_if_asked(self) -> None:
        environment = self._make(rendered=True)
        self.assertIsInstance(environment, gymnasium_adapter.GymnasiumEnvironment)
        pixels = environment.reset().observation[base.PIXELS]
        own = gymnasium.make("MiniGrid-DoorKey-8x8-v0", render_mode="rgb_array")
        own.reset(seed=1)
        np.testing.assert_array_equal(environment.render(), own.render())
        np.testing.assert_array_equal(
            environment.picture(pixels),
            own.unwrapped.get_pov_render(base.tile_size((7, 7, 3))),
        )

    def test_it_does_not_where_nobody_looks(self) -> None:
        environment = self._make(rendered=False)
        environment.reset()
        self.assertIsNone(environment.render())


if __name__ == "__main__":
    absltest.main()
