"""Draws what an agent sees of a MiniGrid as MiniGrid itself draws it."""

import numpy as np
from minigrid.core import constants
from minigrid.core import grid as minigrid_grid

_AGENT = constants.OBJECT_TO_IDX["agent"]
# Directions count clockwise from the right.
_UP = 3


def draw(codes: np.ndarray, tile_size: int) -> np.ndarray | None:
    """Draws a grid with the agent in it.

    A grid that holds the agent's code is a whole world, which is looked at from
    outside; any other is the agent's view, in which it stands in the middle of the
    lowest row and looks up.

    Args:
      codes: uint8 [W, H, 3], object, colour and state by x and y.
      tile_size: pixels of a cell's side.

    Returns:
      uint8 [H * tile_size, W * tile_size, 3], or None where the codes are not
      MiniGrid's.
    """
    try:
        grid, visible = minigrid_grid.Grid.decode(codes)
    except (KeyError, AssertionError):
        return None
    agents = np.argwhere(codes[..., 0] == _AGENT)
    if len(agents):
        x, y = agents[0].tolist()
        direction, lit = int(codes[x, y, 2]), None
    else:
        width, height, _ = codes.shape
        x, y, direction, lit = width // 2, height - 1, _UP, visible
    return grid.render(tile_size, (x, y), direction, highlight_mask=lit)
