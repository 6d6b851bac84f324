"""Tests of reporting/video.py."""

import itertools
import os

import imageio.v3 as imageio
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.environments import base
from kickstarting.environments.doom import doom
from kickstarting.reporting import video

_ACTIONS = doom.ACTION_NAMES


def _probabilities(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(len(_ACTIONS)))


def _pixels(seed: int = 0, shape: tuple[int, int, int] = (72, 96, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


class WriteVideoTest(parameterized.TestCase):
    def _path(self, name: str) -> str:
        return os.path.join(self.create_tempdir().full_path, name)

    @parameterized.parameters(
        ("a.mp4", (64, 96), (64, 96)),
        ("a.MP4", (63, 95), (64, 96)),
        ("a.gif", (63, 95), (63, 95)),
    )
    def test_is_read_back(self, name, size, size_read):
        frames = np.zeros((12, *size, 3), np.uint8)
        for number, frame in enumerate(frames):
            frame[:, : 4 + 4 * number] = (220, 40, 40)
        path = self._path(name)
        video.write_video(path, frames, frames_per_second=10)
        read = imageio.imread(path)
        self.assertEqual(read.shape, (12, *size_read, 3))
        error = np.abs(read[:, : size[0], : size[1]].astype(int) - frames)
        self.assertLess(error.mean(), 8)

    def test_an_episode_is_streamed(self):
        environment = doom.DoomEnvironment(base.TaskSettings("doom:basic", seed=1))
        self.addCleanup(environment.close)
        environment.reset()

        def frames():
            for step in range(10):
                pixels = environment.step(step % len(_ACTIONS)).observation["pixels"]
                yield video.compose_frame(
                    pixels,
                    _ACTIONS,
                    _probabilities(step),
                    None,
                    f"doom:basic  step {step}",
                )

        path = self._path("episode.mp4")
        video.write_video(path, frames(), frames_per_second=8.75)
        self.assertLen(imageio.imread(path), 10)
        self.assertAlmostEqual(imageio.immeta(path)["fps"], 8.75)

    @parameterized.parameters(
        ("a.avi", np.zeros((1, 1, 1, 3), np.uint8), "ends in .mp4 or .gif"),
        ("a.mp4", np.zeros((0, 8, 8, 3), np.uint8), "no frames"),
        ("a.mp4", np.zeros((1, 1, 1, 3), np.float32), "must be uint8"),
        ("a.gif", np.zeros((1, 1, 3), np.uint8), "must be uint8"),
        ("a.gif", [np.zeros((n, 1, 3), np.uint8) for n in (1, 2)], "of shapes"),
    )
    def test_refuses(self, name, frames, message):
        with self.assertRaisesRegex(video.VideoError, message):
            video.write_video(self._path(name), frames, 10)


class ComposeFrameTest(parameterized.TestCase):
    def test_game_is_enlarged_five_times(self):
        pixels = _pixels()
        image = video.compose_frame(pixels, _ACTIONS, _probabilities(1), None, "")
        self.assertEqual(image.dtype, np.uint8)
        np.testing.assert_array_equal(image[2:360:5, 2:480:5], pixels)
        self.assertEqual([side % 2 for side in image.shape[:2]], [0, 0])

    @parameterized.parameters(1, 9, 18, 60)
    def test_size_depends_on_shapes_alone(self, num_actions):
        names = [f"action_{index}" for index in range(num_actions)]
        uniform = np.full(num_actions, 1 / num_actions)
        first = np.eye(num_actions)[0]
        plain = video.compose_frame(_pixels(1), names, uniform, None, "a")
        full = video.compose_frame(_pixels(2), names, first, uniform, "b" * 200, 0)
        self.assertEqual(plain.shape, full.shape)

    @parameterized.parameters("go to the red ball", "", "open the door " * 40)
    def test_an_instruction_has_a_line_of_its_own(self, instruction):
        def compose(*instruction):
            return video.compose_frame(
                _pixels(), _ACTIONS, _probabilities(1), None, "caption", 0, *instruction
            )

        plain, said = compose(), compose(instruction)
        line = plain.shape[0] - 36
        np.testing.assert_array_equal(said[:line], plain[:line])
        np.testing.assert_array_equal(said[line + 36 :], plain[line:])
        written = (said[line : line + 36] != (22, 24, 29)).any((0, 2))
        self.assertEqual(written.any(), bool(instruction))
        self.assertFalse(written[-12:].any())

    def test_bars_are_as_long_as_the_probabilities(self):
        student = np.array([0.25, 0.75])
        teacher = np.array([0.5, 0.5])
        image = video.compose_frame(
            _pixels() // 8, ["left", "right"], student, teacher, ""
        )
        # The legend above and the percentages at the right have these colours too.
        panel = image[32:, 480 : image.shape[1] - 60]

        def lengths(rgb):
            columns = (panel == rgb).all(-1).sum(axis=1)
            return sorted(set(columns[columns > 0]))

        short, long = lengths((79, 160, 240))
        self.assertAlmostEqual(long / short, 3, delta=0.15)
        (equal,) = lengths((245, 166, 70))
        self.assertAlmostEqual(equal / short, 2, delta=0.15)

    def test_chosen_action_is_marked_in_its_own_row(self):
        arguments = (_pixels(), _ACTIONS, _probabilities(1), _probabilities(2), "x")
        plain = video.compose_frame(*arguments)
        rows = []
        for action in range(len(_ACTIONS)):
            marked = video.compose_frame(*arguments, action=action)
            rows.append(np.flatnonzero((marked != plain).any((1, 2))))
        for above, below in itertools.pairwise(rows):
            self.assertLess(above.max(), below.min())

    def test_grid_cells_of_one_code_look_alike(self):
        grid = np.zeros((9, 9, 2), np.uint8)
        grid[4, 4] = (5, 3)
        grid[7, 1] = (5, 3)
        grid[7, 2] = (5, 4)
        image = video.compose_frame(grid, ["up"], np.ones(1), None, "")
        cells = image[:360, :360].reshape(9, 40, 9, 40, 3).swapaxes(1, 2)
        np.testing.assert_array_equal(cells[4, 4], cells[7, 1])
        self.assertFalse((cells[4, 4, 2, 2] == cells[0, 0, 2, 2]).all())
        # Of one colour, with another code written in it.
        np.testing.assert_array_equal(cells[7, 1, 2, 2], cells[7, 2, 2, 2])
        self.assertFalse((cells[7, 1] == cells[7, 2]).all())

    def test_what_is_rendered_stands_on_the_left(self):
        rendered = np.full((30, 60, 3), 9, np.uint8)
        pixels = _pixels()
        image = video.beside(rendered, pixels)
        self.assertEqual(image.shape, (360, 720 + 12 + 480, 3))
        np.testing.assert_array_equal(image[:, :720], 9)
        np.testing.assert_array_equal(image[2::5, 734::5], pixels)

    def test_refuses_probabilities_of_another_action_set(self):
        with self.assertRaisesRegex(video.VideoError, "teacher.*do not fit 9 actions"):
            video.compose_frame(
                _pixels(), _ACTIONS, _probabilities(1), np.ones(3) / 3, ""
            )


if __name__ == "__main__":
    absltest.main()
