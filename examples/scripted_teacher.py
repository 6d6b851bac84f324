"""A teacher that is no network: a bot with a map, for MiniGrid and BabyAI.

  python -m launch.train --tasks=gym:MiniGrid-DoorKey-6x6-v0 --action_repeat=1 \\
      --teachers=examples.scripted_teacher:make

Anything that keeps trajectory.Teacher (kickstarting/agent) can teach. This bot knows no
more than the student: its 7x7 view, the mission and the last action. It draws what it
has seen on a map, which travels with the unrolls as its recurrent state, and goes where
the mission wants it, explores as long as it has not seen that, and then opens doors and
fetches keys for the locked ones. It relies on an action repeat of 1 and on a world in
which only the agent moves.
"""

import collections
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from kickstarting.agent import trajectory
from kickstarting.environments.gym import instructions

ACTION_NAMES = ("left", "right", "forward", "pickup", "drop", "toggle", "done")
LEFT, RIGHT, FORWARD, PICKUP, _, TOGGLE, DONE = range(len(ACTION_NAMES))

# MiniGrid's codes of objects and of a door's state.
UNSEEN, EMPTY, FLOOR, DOOR, KEY, BALL, BOX, GOAL = 0, 1, 3, 4, 5, 6, 7, 8
OPEN, CLOSED, LOCKED = range(3)
_COLOURS = ("red", "green", "blue", "purple", "yellow", "grey")
_OBJECTS = {"door": DOOR, "key": KEY, "ball": BALL, "box": BOX, "goal": GOAL}

# Where a mission's object is, as seen when the episode opens: axis of the map and sign.
_PLACES = {"left": (0, -1), "right": (0, 1), "front": (1, -1), "behind": (1, 1)}

# The largest MiniGrid level is 25x25, and the agent begins in the middle of the map.
_MAP_SIZE = 51
_VIEW_SIZE = 7
# Up, right, down, left as (x, y): the agent begins facing up.
_AHEAD = np.array([(0, -1), (1, 0), (0, 1), (-1, 0)])
# exp(5) to 1 for each other action: near to one-hot, with a finite divergence.
_LOGIT = 5.0


class BotState(NamedTuple):
    """What a bot remembers of an episode.

    Attributes:
      map: uint8 [B, 51, 51, 3], MiniGrid's (object, colour, state) by x and y.
      pose: int32 [B, 3], x and y on the map and the direction, 0..3 clockwise.
    """

    map: np.ndarray
    pose: np.ndarray


class ScriptedTeacher:
    """See the module; keeps trajectory.Teacher."""

    action_names = ACTION_NAMES

    def initial_state(self, batch_size: int) -> BotState:
        """Returns the BotState that opens an episode: nothing is known."""
        pose = np.array([_MAP_SIZE // 2, _MAP_SIZE // 2, 0], np.int32)
        return BotState(
            np.zeros((batch_size, _MAP_SIZE, _MAP_SIZE, 3), np.uint8),
            np.tile(pose, (batch_size, 1)),
        )

    def label(
        self, observation: trajectory.Observation, first: np.ndarray, state: BotState
    ) -> tuple[np.ndarray, BotState]:
        """See trajectory.Teacher; pixels are MiniGrid's views uint8 [B, T, 7, 7, 3]."""
        batch_size, length = first.shape
        logits = np.zeros((batch_size, length, len(ACTION_NAMES)), np.float32)
        state = BotState(state.map.copy(), state.pose.copy())
        opening = self.initial_state(1)
        for row in range(batch_size):
            known, pose = state.map[row], state.pose[row]
            for t in range(length):
                if first[row, t]:
                    known[:], pose[:] = opening.map[0], opening.pose[0]
                else:
                    _move(known, pose, int(observation.last_action[row, t]))
                view = observation.pixels[row, t]
                _draw(known, pose, view)
                mission = frozenset(observation.instruction[row, t].tolist())
                action = _choose(known, pose, view, mission)
                if action is not None:
                    logits[row, t, action] = _LOGIT
        return logits, state


make = ScriptedTeacher


def _move(known: np.ndarray, pose: np.ndarray, action: int) -> None:
    """Follows the action that the student took."""
    if action in (LEFT, RIGHT):
        pose[2] = (pose[2] + (1 if action == RIGHT else -1)) % 4
    elif action == FORWARD:
        ahead = pose[:2] + _AHEAD[pose[2]]
        if _is_free(known[tuple(ahead)]):
            pose[:2] = ahead


def _draw(known: np.ndarray, pose: np.ndarray, view: np.ndarray) -> None:
    """Draws the view on the map; the agent stands in the middle of its last row."""
    ahead, right = _AHEAD[pose[2]], _AHEAD[(pose[2] + 1) % 4]
    column, row = np.nonzero(view[:, :, 0] != UNSEEN)
    cells = (
        pose[:2]
        + (_VIEW_SIZE - 1 - row)[:, None] * ahead
        + (column - _VIEW_SIZE // 2)[:, None] * right
    )
    # Its own cell shows what it carries.
    shown = np.any(cells != pose[:2], axis=1)
    shown &= np.all((cells >= 0) & (cells < _MAP_SIZE), axis=1)
    cells, column, row = cells[shown], column[shown], row[shown]
    known[cells[:, 0], cells[:, 1]] = view[column, row]
    own = known[pose[0], pose[1]]
    if own[0] == UNSEEN:
        own[0] = EMPTY


def _choose(
    known: np.ndarray, pose: np.ndarray, view: np.ndarray, mission: frozenset[int]
) -> int | None:
    """Returns the action for the first of the bot's aims that can be reached."""
    carried = view[_VIEW_SIZE // 2, _VIEW_SIZE - 1]
    target, arrival = _aim(mission)
    doors = {
        state: _cells((known[..., 0] == DOOR) & (known[..., 2] == state))
        for state in (CLOSED, LOCKED)
    }
    wanted = _cells(target(known))
    if arrival == TOGGLE:
        # A locked door waits for its key.
        wanted -= doors[LOCKED]
    aims = [(wanted, arrival)]
    if carried[0] == KEY:
        fits = {cell for cell in doors[LOCKED] if known[cell][1] == carried[1]}
        aims.append((fits, TOGGLE))
    # Before a door is opened to see what is behind it: a wrong one may end the episode.
    aims.append((_cells(known[..., 0] == UNSEEN), DONE))
    aims.append((doors[CLOSED], TOGGLE))
    if doors[LOCKED] and carried[0] == EMPTY:
        colours = [known[cell][1] for cell in doors[LOCKED]]
        keys = _cells((known[..., 0] == KEY) & np.isin(known[..., 1], colours))
        aims.append((keys, PICKUP))
    for cells, last_action in aims:
        action = _first_action(known, pose, cells, last_action)
        if action is not None:
            return action
    return None


def _aim(
    mission: frozenset[int],
) -> tuple[Callable[[np.ndarray], np.ndarray], int | None]:
    """Returns what marks the mission's cells, and the action to take facing one.

    A goal is to be stood on: its action is None.
    """
    named = [code for word, code in _OBJECTS.items() if _word(word) in mission]
    if _word("object") in mission:
        named = [KEY, BALL, BOX]
    if GOAL in named or not named:
        return lambda cells: cells[..., 0] == GOAL, None
    colours = [i for i, word in enumerate(_COLOURS) if _word(word) in mission]
    sides = [side for word, side in _PLACES.items() if _word(word) in mission]

    def marks(cells: np.ndarray) -> np.ndarray:
        found = np.isin(cells[..., 0], named)
        if colours:
            found &= np.isin(cells[..., 1], colours)
        for axis, sign in sides:
            found &= np.sign(np.indices(found.shape)[axis] - _MAP_SIZE // 2) == sign
        return found

    if _word("open") in mission:
        return marks, TOGGLE
    return marks, PICKUP if _word("pick") in mission else DONE


def _word(word: str) -> int:
    return int(instructions.encode(word, 1)[0])


def _cells(marked: np.ndarray) -> set[tuple[int, int]]:
    return set(zip(*(axis.tolist() for axis in np.nonzero(marked)), strict=True))


def _is_free(cell: np.ndarray) -> bool:
    return cell[0] in (EMPTY, FLOOR, GOAL) or (cell[0] == DOOR and cell[2] == OPEN)


def _first_action(
    known: np.ndarray,
    pose: np.ndarray,
    cells: Iterable[tuple[int, int]],
    last_action: int | None,
) -> int | None:
    """Searches breadth-first over poses.

    Args:
      known: the map.
      pose: where the agent is.
      cells: any of them will do.
      last_action: to take when facing one of them; None means to stand on one.

    Returns:
      The first action of a shortest way; None if there is no way.
    """
    wanted = frozenset(cells)
    if not wanted:
        return None
    begin = tuple(pose.tolist())
    first_actions: dict[tuple[int, ...], int | None] = {begin: None}
    waiting = collections.deque([begin])
    while waiting:
        x, y, direction = here = waiting.popleft()
        step_x, step_y = _AHEAD[direction].tolist()
        ahead = x + step_x, y + step_y
        if (ahead if last_action is not None else (x, y)) in wanted:
            return last_action if here == begin else first_actions[here]
        following = {
            LEFT: (x, y, (direction - 1) % 4),
            RIGHT: (x, y, (direction + 1) % 4),
        }
        if max(ahead) < _MAP_SIZE and min(ahead) >= 0 and _is_free(known[ahead]):
            following[FORWARD] = (*ahead, direction)
        for action, there in following.items():
            if there not in first_actions:
                initial = action if here == begin else first_actions[here]
                first_actions[there] = initial
                waiting.append(there)
    return None
