"""The drawing of a view beside the library's own picture of the world."""

import numpy as np
from absl.testing import absltest, parameterized
from xminigrid.rendering import rgb_render

from kickstarting.environments import base
from kickstarting.environments.xland import grid_picture, xland

_TILE_SIZE = 12
_VIEW = 7
_FORWARD, _TURN_RIGHT = 0, 1


class GridPictureTest(parameterized.TestCase):
    @parameterized.parameters("MiniGrid-DoorKey-8x8", "MiniGrid-FourRooms")
    def test_the_view_is_a_part_of_the_library_s_picture(self, level: str) -> None:
        environment = xland.make(base.TaskSettings(f"xland:{level}", 1, 1))
        timestep = environment.reset()
        for action in (_TURN_RIGHT, _FORWARD) * 4:
            grid, agent = environment.state()
            direction = int(agent.direction)
            y, x = agent.position.tolist()
            # The world beyond its edges, turned so that the agent looks up.
            margin = _VIEW
            wide = np.pad(grid, ((margin, margin), (margin, margin), (0, 0)))
            around = wide[y : y + 2 * margin + 1, x : x + 2 * margin + 1]
            around = np.rot90(around, direction)
            ahead = around[1 : margin + 1, margin - 3 : margin + 4]
            expected = np.zeros((_VIEW * _TILE_SIZE, _VIEW * _TILE_SIZE, 3), np.uint8)
            for row, column in np.argwhere(ahead[..., 0] > 0):
                tile = ahead[row : row + 1, column : column + 1]
                top, left = row * _TILE_SIZE, column * _TILE_SIZE
                expected[top : top + _TILE_SIZE, left : left + _TILE_SIZE] = (
                    rgb_render.render(tile, tile_size=_TILE_SIZE)
                )
            own = slice(6 * _TILE_SIZE, None), slice(3 * _TILE_SIZE, 4 * _TILE_SIZE)
            drawn = grid_picture.draw(timestep.observation[base.PIXELS], _TILE_SIZE)
            tile = rgb_render.render_tile(
                tuple(grid[y, x].tolist()), 0, tile_size=_TILE_SIZE
            )
            np.testing.assert_array_equal(drawn[own], tile.astype(np.uint8))
            drawn[own] = expected[own]
            np.testing.assert_array_equal(drawn, expected)
            timestep = environment.step(action)

    def test_the_world_is_drawn_by_the_library_if_asked(self) -> None:
        for rendered in (False, True):
            settings = base.TaskSettings(
                "xland:MiniGrid-Empty-5x5", 1, 1, rendered=rendered
            )
            environment = xland.make(settings)
            self.assertIsNone(environment.render())
            environment.reset()
            picture = environment.render()
            if rendered:
                self.assertEqual(picture.shape, (5 * 32, 5 * 32, 3))
                # The goal is below on the right.
                np.testing.assert_array_equal(picture[3 * 32 + 16, 3 * 32 + 16, 1], 255)
            else:
                self.assertIsNone(picture)


if __name__ == "__main__":
    absltest.main()
