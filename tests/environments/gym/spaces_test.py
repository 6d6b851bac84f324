"""Tests of what is made of an observation space, and of what does not keep to it."""

from typing import Any

import gymnasium
import numpy as np
from absl.testing import absltest, parameterized
from minigrid import wrappers

from kickstarting.environments import base
from kickstarting.environments.gym import gymnasium_adapter

_Box, _Dict = gymnasium.spaces.Box, gymnasium.spaces.Dict


class _Shows(gymnasium.Env):
    """Says that it shows `space`, and shows `seen`."""

    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, space: gymnasium.Space, seen: Any) -> None:
        self.observation_space = space
        self._seen = seen

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple:
        super().reset(seed=seed)
        return self._seen, {}

    def step(self, action: int) -> tuple:
        return self._seen, 0.0, False, False, {}


def _fully_observed(level: str) -> gymnasium.Env:
    return wrappers.FullyObsWrapper(gymnasium.make(level))


def _make(factory: Any, **keywords: Any) -> gymnasium_adapter.GymnasiumEnvironment:
    gymnasium.registry.pop("Shows-v0", None)
    gymnasium.register("Shows-v0", factory, kwargs=keywords)
    return gymnasium_adapter.make(base.TaskSettings("gym:Shows-v0", 1, 1))


def _image(shape: tuple[int, ...], dtype: str = "uint8", high: int = 255) -> _Box:
    return _Box(0, high, shape, np.dtype(dtype))


class SpacesTest(parameterized.TestCase):
    @parameterized.parameters(
        ((84, 84), 255, (72, 96, 3)),
        ((210, 160, 3), 255, (72, 96, 3)),
        ((90, 120, 1), 255, (72, 96, 3)),
        ((3, 84, 90), 255, (72, 96, 3)),
        ((1, 84, 84), 255, (72, 96, 3)),
        ((8, 9), 255, (8, 9, 3)),
        ((8, 9, 1), 255, (8, 9, 3)),
        ((8, 8, 3), 255, (8, 8, 3)),
        ((3, 3, 2), 255, (3, 3, 2)),
        ((3, 7, 7), 255, (7, 7, 3)),
        ((16, 16, 20), 255, (16, 16, 20)),
        ((19, 25, 3), 10, (19, 25, 3)),
    )
    def test_frames_of_every_shape(
        self, shape: tuple[int, ...], high: int, expected: tuple[int, int, int]
    ) -> None:
        seen = np.full(shape, 7, np.uint8)
        environment = _make(_Shows, space=_image(shape, high=high), seen=seen)
        self.assertEqual(environment.spec.frame_shape, expected)
        self.assertEqual(environment.spec.action_names, ("action_0", "action_1"))
        self.assertEqual(environment.spec.instruction_length, 0)
        frame = environment.reset().observation[base.PIXELS]
        np.testing.assert_array_equal(frame, np.full(expected, 7, np.uint8))

    def test_channels_in_front_are_put_last(self) -> None:
        for shape in ((3, 7, 7), (3, 72, 96)):
            seen = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
            environment = _make(_Shows, space=_image(shape), seen=seen)
            frame = environment.reset().observation[base.PIXELS]
            np.testing.assert_array_equal(frame, np.moveaxis(seen, 0, -1))

    @parameterized.parameters(
        ((84, 84, 4), "uint8", "image is needed"),
        ((84, 84, 3), "float32", "float32.*image is needed"),
        ((84, 84, 3), "int64", "int64.*image is needed"),
        ((19, 19, 3), "uint8", r"\(19, 19, 3\).*16x16.*25x25"),
        ((28, 28), "uint8", "of 32 pixels or more"),
        ((12,), "uint8", "image is needed"),
        ((3, 8, 9), "uint8", "channels come last"),
        ((4, 84, 84), "uint8", "channels come last"),
        ((10, 7, 7), "uint8", "channels come last"),
    )
    def test_other_images_are_refused_in_one_line(
        self, shape: tuple[int, ...], dtype: str, message: str
    ) -> None:
        with self.assertRaisesRegex(base.EnvironmentConfigError, message) as caught:
            _make(_Shows, space=_image(shape, dtype), seen=None)
        self.assertNotIn("\n", str(caught.exception))

    @parameterized.parameters(
        ((7, 7, 3), np.zeros((8, 8, 3), np.uint8), r"uint8 \(8, 8, 3\).*\(7, 7, 3\)"),
        ((7, 7, 3), np.zeros((56, 56, 3), np.uint8), r"\(56, 56, 3\).*\(7, 7, 3\)"),
        ((84, 84, 3), np.zeros((84, 84, 3), np.int64), "int64.*says uint8"),
        ((84, 84, 3), np.zeros((80, 84, 3), np.uint8), r"\(80, 84, 3\).*\(84, 84, 3\)"),
        ((84, 84, 3), np.zeros((84, 84, 3), np.float32), "float32.*says uint8"),
        ((8, 8), np.zeros((8, 8, 1), np.uint8), r"\(8, 8, 1\).*\(8, 8\)"),
        ((8, 8), None, "object.*says uint8"),
    )
    def test_an_observation_that_is_not_as_its_space_says(
        self, shape: tuple[int, ...], seen: Any, message: str
    ) -> None:
        environment = _make(_Shows, space=_image(shape), seen=seen)
        with self.assertRaisesRegex(
            base.EnvironmentConfigError, f"gym:Shows-v0 observed .*{message}"
        ) as caught:
            environment.reset()
        self.assertNotIn("\n", str(caught.exception))

    @parameterized.parameters(
        ({"mission": "go"}, "dict without an 'image'"),
        (np.zeros((7, 7, 3), np.uint8), "ndarray without an 'image'"),
        ({"image": np.zeros((7, 7, 3), np.uint8), "mission": None}, "mission None"),
    )
    def test_a_dict_that_is_not_as_its_space_says(
        self, seen: Any, message: str
    ) -> None:
        space = _Dict(image=_image((7, 7, 3)), mission=gymnasium.spaces.Text(9))
        environment = _make(_Shows, space=space, seen=seen)
        with self.assertRaisesRegex(base.EnvironmentConfigError, message):
            environment.reset()

    def test_a_mission_that_is_cut_is_told(self) -> None:
        space = _Dict(image=_image((7, 7, 3)), mission=gymnasium.spaces.Text(99))
        seen = {"image": np.zeros((7, 7, 3), np.uint8), "mission": "go on " * 15}
        environment = _make(_Shows, space=space, seen=seen)
        with self.assertLogs("absl", "WARNING") as logs:
            words = environment.reset().observation[base.INSTRUCTION]
        self.assertRegex(logs.output[0], "gym:Shows-v0 .* more than 24 words")
        self.assertEqual(np.count_nonzero(words), 24)

    def test_names_what_it_leaves_out(self) -> None:
        entries = {
            "image": _image((7, 7, 3)),
            "action_mask": gymnasium.spaces.MultiBinary(2),
            "speed": _Box(-1, 1, (4,)),
            # A number is no text.
            "mission": gymnasium.spaces.Discrete(4),
        }
        seen = {"image": np.zeros((7, 7, 3), np.uint8), "mission": 3}
        environment = _make(_Shows, space=_Dict(entries), seen=seen)
        self.assertCountEqual(environment.spec.unused, ("speed", "mission"))
        self.assertEqual(environment.spec.instruction_length, 0)
        environment.reset()
        spec = gymnasium_adapter.spec("MiniGrid-Empty-5x5-v0", 1)
        self.assertEmpty(spec.unused)

    def test_a_whole_minigrid_keeps_its_cells(self) -> None:
        for level, size in (("FourRooms", 19), ("MultiRoom-N6", 25)):
            environment = _make(_fully_observed, level=f"MiniGrid-{level}-v0")
            self.assertEqual(environment.spec.frame_shape, (size, size, 3))
            cells = environment.reset().observation[base.PIXELS][..., 0]
            # Of one agent and one goal, and walls at all sides.
            self.assertEqual([(cells == 10).sum(), (cells == 8).sum()], [1, 1])
            self.assertTrue((cells[0] == 2).all() or (cells[0] == 1).all())


if __name__ == "__main__":
    absltest.main()
