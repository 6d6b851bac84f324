"""The dynamics of MiniGrid's tasks, of many worlds at once, as arrays in NumPy.

The library's step is compiled for each size of grid, and a program for two worlds costs
more in its many small loops than in what it computes. What MiniGrid's tasks need of it
is some thirty operations on arrays, for worlds of all sizes and goals together.

The library shows nowhere what the agent carries, so that a task with a key is one of
memory. Here it is drawn where MiniGrid draws it, in the agent's own cell of the view.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from xminigrid import types
from xminigrid.core import constants

from kickstarting.environments import base
from kickstarting.environments.xland import openings

_FORWARD, _RIGHT, _LEFT, _PICK_UP, _PUT_DOWN, _TOGGLE = range(constants.NUM_ACTIONS)
# Kinds of goal by their numbers in the library's encoding.
_NO_GOAL, _HOLDS, _IS_ON, _TILE_IS_AT = 0, 1, 2, 5
_GOALS = (_NO_GOAL, _HOLDS, _IS_ON, _TILE_IS_AT, openings.MEMORY)

# Of the reward for the goal, 1, what is lost where it takes until the time limit.
_COST_OF_ALL_STEPS = 0.9

# Up, right, down, left.
_DIRECTIONS = np.asarray(constants.DIRECTIONS)
# By action.
_TURNS = np.array([0, 1, -1, 0, 0, 0])

# A tile and its colour are one code: 0 is nothing.
_COLOURS = constants.NUM_COLORS
_NOTHING = 0
_CODES = np.arange(constants.NUM_TILES * _COLOURS)
_TILES, _COLOUR_OF = np.divmod(_CODES, _COLOURS)
_PAIRS = np.stack([_TILES, _COLOUR_OF], axis=-1).astype(np.uint8)


def _code(tile: Any, colour: Any) -> Any:
    """Returns the code of a tile and its colour, int or an array of ints each."""
    return tile * _COLOURS + colour


def _becoming(changes: dict[int, int]) -> np.ndarray:
    """Returns for each code that of the tile which its own becomes, uint8."""
    tiles = np.array([changes.get(tile, tile) for tile in _TILES.tolist()])
    return _code(tiles, _COLOUR_OF).astype(np.uint8)


_FLOOR = _code(constants.Tiles.FLOOR, constants.Colors.BLACK)
# By code.
_IS_WALKABLE = np.isin(_TILES, np.asarray(constants.WALKABLE))
_IS_PICKABLE = np.isin(_TILES, np.asarray(constants.PICKABLE))
_IS_FREE = np.isin(_TILES, np.asarray(constants.FREE_TO_PUT_DOWN))
_TOGGLED = _becoming(
    {
        constants.Tiles.DOOR_CLOSED: constants.Tiles.DOOR_OPEN,
        constants.Tiles.DOOR_OPEN: constants.Tiles.DOOR_CLOSED,
    }
)
_UNLOCKED = _becoming({constants.Tiles.DOOR_LOCKED: constants.Tiles.DOOR_OPEN})
# The code of a locked door's key; no other code has one.
_KEY_OF = np.where(
    _TILES == constants.Tiles.DOOR_LOCKED,
    _code(constants.Tiles.KEY, _COLOUR_OF),
    len(_CODES),
)


class Outcome(NamedTuple):
    """What one step of n worlds led to.

    Attributes:
      reward: float32 [n].
      terminated: bool [n]; whether the goal, or a place from which it cannot be, is
        reached.
      over: bool [n]; whether the episode has ended so, or by its time limit.
    """

    reward: np.ndarray
    terminated: np.ndarray
    over: np.ndarray


class Worlds:
    """N worlds with an agent each, of levels whose views have one size.

    The cells of all worlds lie in one array, each world in the middle of as much of
    nothing as a view from its edge shows; a cell is an index into that array.
    """

    def __init__(
        self, sizes: Sequence[tuple[int, int]], view: int, time_limits: Sequence[int]
    ) -> None:
        """Leaves the worlds empty: each must be opened before it is stepped.

        Args:
          sizes: height and width of each world.
          view: V, the side of what the agent sees.
          time_limits: steps after which an episode of each world ends.
        """
        num_worlds = len(sizes)
        self._margin = view - 1
        height, width = np.max(np.array(sizes), axis=0) + 2 * self._margin
        self._width = width
        self._cells = np.zeros(num_worlds * height * width, np.uint8)
        self._grids = self._cells.reshape(num_worlds, height, width)
        self._corners = np.arange(num_worlds) * height * width
        self._at = self._corners.copy()
        self._direction = np.zeros(num_worlds, np.intp)
        self._pocket = np.zeros(num_worlds, np.uint8)
        self._steps = np.zeros(num_worlds, np.int32)
        self._time_limit = np.array(time_limits, np.int32)
        # 0.9 / limit as the library rounds it, and exact from there on.
        limits = self._time_limit.astype(np.float32)
        cost = np.float32(_COST_OF_ALL_STEPS) * (np.float32(1) / limits)
        self._cost_of_a_step = cost.astype(np.float64)
        self._sizes = [tuple(size) for size in sizes]
        # The goal's kind, its tile's code, and cells that it is about.
        self._goal = np.full(num_worlds, _NO_GOAL)
        self._goal_tile = np.zeros(num_worlds, np.uint8)
        self._goal_cell = np.zeros(num_worlds, np.intp)
        self._failure_cell = np.zeros(num_worlds, np.intp)
        self._goals: frozenset[int] = frozenset()
        # By direction: from the agent's cell to the one ahead, and to all that it sees,
        # row by row from the farthest; it stands in the middle of the last one.
        self._view = view
        self._own = view * view - 1 - view // 2
        to_the_right = np.roll(_DIRECTIONS, -1, axis=0)
        self._ahead = _DIRECTIONS @ (width, 1)
        forward = np.arange(view)[::-1, None]
        right = np.arange(view) - view // 2
        self._seen = np.stack(
            [
                (forward * ahead + right * aside).reshape(-1)
                for ahead, aside in zip(
                    self._ahead, to_the_right @ (width, 1), strict=True
                )
            ]
        )

    def open(self, world: int, opening: openings.Opening) -> None:
        """Opens an episode in one world, whatever became of the one before.

        Raises:
          base.EnvironmentConfigError: its goal is none of MiniGrid's tasks.
        """
        height, width = self._sizes[world]
        margin = self._margin
        self._grids[world, margin : margin + height, margin : margin + width] = _codes(
            opening.grid
        )
        self._at[world] = self._cell(world, opening.position)
        self._direction[world] = opening.direction
        self._pocket[world] = _codes(opening.pocket)
        self._steps[world] = 0
        self._set_goal(world, opening.goal)

    def _set_goal(self, world: int, goal: np.ndarray) -> None:
        kind = int(goal[0])
        if kind not in _GOALS:
            raise base.EnvironmentConfigError(
                f"a level of xland has a goal that no task of MiniGrid had, of kind "
                f"{kind}: pip install xminigrid==0.9.3"
            )
        self._goal[world] = kind
        if kind == openings.MEMORY:
            self._goal_cell[world] = self._cell(world, goal[1:3])
            self._failure_cell[world] = self._cell(world, goal[3:5])
        else:
            self._goal_tile[world] = _codes(goal[1:3])
            self._goal_cell[world] = self._cell(world, goal[3:5])
        self._goals |= {kind}

    def _cell(self, world: int, position: np.ndarray) -> int:
        row, column = (self._margin + position.astype(np.intp)).tolist()
        return int(self._corners[world]) + row * self._width + column

    def step(self, worlds: np.ndarray, actions: np.ndarray) -> Outcome:
        """Steps some worlds once.

        Args:
          worlds: int [n], each once.
          actions: int [n] in 0..5.
        """
        if openings.MEMORY in self._goals:
            remembers = self._goal[worlds] == openings.MEMORY
            actions = np.where(remembers & (actions == _PICK_UP), _TOGGLE, actions)
        direction, carried = self._direction[worlds], self._pocket[worlds]
        at = self._at[worlds]
        front = at + self._ahead[direction]
        tile = self._cells[front]
        picks = (actions == _PICK_UP) & _IS_PICKABLE[tile] & (carried == _NOTHING)
        puts = (actions == _PUT_DOWN) & _IS_FREE[tile] & (carried != _NOTHING)
        toggled = np.where(carried == _KEY_OF[tile], _UNLOCKED[tile], _TOGGLED[tile])
        left = np.where(puts, carried, np.where(actions == _TOGGLE, toggled, tile))
        self._cells[front] = np.where(picks, _FLOOR, left)
        self._pocket[worlds] = np.where(picks, tile, np.where(puts, _NOTHING, carried))
        self._direction[worlds] = (direction + _TURNS[actions]) % len(_DIRECTIONS)
        moves = (actions == _FORWARD) & _IS_WALKABLE[tile]
        self._at[worlds] = np.where(moves, front, at)
        self._steps[worlds] += 1
        return self._outcome(worlds, actions)

    def _outcome(self, worlds: np.ndarray, actions: np.ndarray) -> Outcome:
        kind = self._goal[worlds]
        at, wanted = self._at[worlds], self._goal_tile[worlds]
        reached = np.zeros(len(worlds), bool)
        failed = reached
        if _HOLDS in self._goals:
            holds = (actions == _PICK_UP) & (self._pocket[worlds] == wanted)
            reached = reached | ((kind == _HOLDS) & holds)
        if _IS_ON in self._goals:
            is_on = (actions == _FORWARD) & (self._cells[at] == wanted)
            reached = reached | ((kind == _IS_ON) & is_on)
        if _TILE_IS_AT in self._goals:
            is_there = self._cells[self._goal_cell[worlds]] == wanted
            reached = reached | ((kind == _TILE_IS_AT) & is_there)
        if openings.MEMORY in self._goals:
            remembers = kind == openings.MEMORY
            reached = reached | (remembers & (at == self._goal_cell[worlds]))
            failed = remembers & (at == self._failure_cell[worlds])
        steps, terminated = self._steps[worlds], reached | failed
        reward = np.where(reached, 1 - steps * self._cost_of_a_step[worlds], 0)
        return Outcome(
            reward=reward.astype(np.float32),
            terminated=terminated,
            over=terminated | (steps == self._time_limit[worlds]),
        )

    def views(self, worlds: np.ndarray) -> np.ndarray:
        """Returns what the agents of some worlds, int [n], see: uint8 [n, V, V, 2]."""
        cells = self._at[worlds][:, None] + self._seen[self._direction[worlds]]
        codes = self._cells[cells]
        carried = self._pocket[worlds]
        own = codes[:, self._own]
        codes[:, self._own] = np.where(carried == _NOTHING, own, carried)
        return _PAIRS[codes].reshape(len(worlds), self._view, self._view, 2)

    def state(self, world: int) -> tuple[np.ndarray, types.AgentState]:
        """Returns a world as the library has it: grid, uint8 [H, W, 2], and agent."""
        height, width = self._sizes[world]
        margin = self._margin
        inside = slice(margin, margin + height), slice(margin, margin + width)
        grid = _PAIRS[self._grids[world][inside]]
        row, column = np.divmod(self._at[world] - self._corners[world], self._width)
        return grid, types.AgentState(
            position=np.array([row, column]) - margin,
            direction=self._direction[world],
            pocket=_PAIRS[self._pocket[world]],
        )


def _codes(pairs: np.ndarray) -> np.ndarray:
    """Returns the codes, uint8 [...], of tiles and their colours, uint8 [..., 2]."""
    return _code(pairs[..., 0], pairs[..., 1])
