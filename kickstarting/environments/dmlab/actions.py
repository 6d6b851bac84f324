"""Discrete action sets over DeepMind Lab's seven continuous inputs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# As Lab.action_spec() names them; a level may add inputs of its own.
INPUTS = (
    "LOOK_LEFT_RIGHT_PIXELS_PER_FRAME",
    "LOOK_DOWN_UP_PIXELS_PER_FRAME",
    "STRAFE_LEFT_RIGHT",
    "MOVE_BACK_FORWARD",
    "FIRE",
    "JUMP",
    "CROUCH",
)


class _Inputs(NamedTuple):
    look_right: int = 0
    look_down: int = 0
    strafe_right: int = 0
    forward: int = 0
    fire: int = 0
    jump: int = 0
    crouch: int = 0


_WALK = {
    "forward": _Inputs(forward=1),
    "backward": _Inputs(forward=-1),
    "strafe_left": _Inputs(strafe_right=-1),
    "strafe_right": _Inputs(strafe_right=1),
}

_ACTION_SETS = {
    # IMPALA's nine (Espeholt et al. 2018, table D.2).
    "default": {
        **_WALK,
        "turn_left": _Inputs(look_right=-20),
        "turn_right": _Inputs(look_right=20),
        "forward_turn_left": _Inputs(look_right=-20, forward=1),
        "forward_turn_right": _Inputs(look_right=20, forward=1),
        "attack": _Inputs(fire=1),
    },
    # The fifteen of Hessel et al. 2019 (arXiv:1809.04474): two speeds of turning, and
    # looking up and down.
    "extended": {
        **_WALK,
        "turn_left_slowly": _Inputs(look_right=-10),
        "turn_right_slowly": _Inputs(look_right=10),
        "turn_left_fast": _Inputs(look_right=-60),
        "turn_right_fast": _Inputs(look_right=60),
        "look_down": _Inputs(look_down=10),
        "look_up": _Inputs(look_down=-10),
        "forward_turn_left_slowly": _Inputs(look_right=-10, forward=1),
        "forward_turn_right_slowly": _Inputs(look_right=10, forward=1),
        "forward_turn_left_fast": _Inputs(look_right=-60, forward=1),
        "forward_turn_right_fast": _Inputs(look_right=60, forward=1),
        "attack": _Inputs(fire=1),
    },
}


def names(action_set: str) -> tuple[str, ...]:
    """Returns the names of a set's A actions, in order.

    Args:
      action_set: one of config.LAB_ACTION_SETS.
    """
    return tuple(_ACTION_SETS[action_set])


def inputs(action_set: str, offered: Sequence[str] = INPUTS) -> np.ndarray:
    """Returns what each action gives to a level's inputs, np.intc [A, I].

    Args:
      action_set: one of config.LAB_ACTION_SETS.
      offered: names of the level's I inputs, in order; those that are not among INPUTS
        stay 0.

    Raises:
      ValueError: one of INPUTS is not offered.
    """
    actions = _ACTION_SETS[action_set].values()
    table = np.zeros((len(actions), len(offered)), np.intc)
    table[:, [offered.index(name) for name in INPUTS]] = list(actions)
    return table


def set_of(action_names: tuple[str, ...]) -> str:
    """Returns the set that has these names; 'default' for other suites' actions."""
    return "extended" if action_names == names("extended") else "default"
