"""Draws XLand-MiniGrid's grids with the library's own tiles."""

import numpy as np
from xminigrid.rendering import rgb_render

_BEYOND_THE_MAP = 0


def draw(view: np.ndarray, tile_size: int) -> np.ndarray:
    """Draws what the agent sees, and itself: in the middle of the lowest row.

    Args:
      view: uint8 [H, W, 2], tile and colour by row and column.
      tile_size: pixels of a cell's side.

    Returns:
      uint8 [H * tile_size, W * tile_size, 3]; what is beyond the map is black.
    """
    height, width, _ = view.shape
    picture = np.zeros((height * tile_size, width * tile_size, 3), np.uint8)
    for row, column in np.ndindex(height, width):
        is_agent = (row, column) == (height - 1, width // 2)
        tile, colour = view[row, column].tolist()
        if tile == _BEYOND_THE_MAP:
            continue
        top, left = row * tile_size, column * tile_size
        picture[top : top + tile_size, left : left + tile_size] = (
            rgb_render.render_tile(
                (tile, colour), 0 if is_agent else None, tile_size=tile_size
            )
        )
    return picture
