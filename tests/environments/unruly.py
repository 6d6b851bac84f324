"""Environments of Gymnasium that hang, raise, and leave processes behind.

Their ids, `tests.environments.unruly:WHAT-v0`, say what they do where. Each starts a
process in a session of its own and does not end it; the file that the variable CHILDREN
names tells which.
"""

import os
import subprocess
import time
from typing import ClassVar

import gymnasium
import numpy as np

CHILDREN = "UNRULY_CHILDREN"
_LONG = 3600.0


def task(what: str) -> str:
    """Returns the task of an environment that does it; see UnrulyEnvironment."""
    return f"gym:{__name__}:{what}-v0"


class UnrulyEnvironment(gymnasium.Env):
    """Shows a black picture of 5x5; what is unruly is its `deed`."""

    observation_space = gymnasium.spaces.Box(0, 255, (5, 5, 3), np.uint8)
    action_space = gymnasium.spaces.Discrete(2)
    metadata: ClassVar[dict] = {"render_modes": ["rgb_array"]}

    def __init__(self, deed: str, render_mode: str | None = None) -> None:
        self._deed = deed
        self._steps = 0
        self.render_mode = render_mode
        child = subprocess.Popen(["sleep", str(_LONG)], start_new_session=True)
        with open(os.environ[CHILDREN], "a", encoding="utf-8") as file:
            file.write(f"{child.pid}\n")
        self._do("Init")

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple:
        """Opens an episode."""
        self._do("Reset")
        return np.zeros((5, 5, 3), np.uint8), {}

    def step(self, action: int) -> tuple:
        """Goes on for ever, unless it is to be rendered at the end."""
        self._do("Step")
        self._steps += 1
        is_over = self._deed.startswith("Render") and self._steps % 8 == 0
        return np.zeros((5, 5, 3), np.uint8), 0.0, is_over, False, {}

    def render(self) -> np.ndarray:
        """Draws itself as black as it is."""
        self._do("Render")
        return np.zeros((5, 5, 3), np.uint8)

    def close(self) -> None:
        """Leaves its child."""
        self._do("Close")

    def _do(self, where: str) -> None:
        if self._deed == f"{where}Hangs":
            time.sleep(_LONG)
        if self._deed == f"{where}Raises":
            raise RuntimeError(f"no {where.lower()}\nhere")
        if self._deed == f"{where}Exits":
            os.write(2, b"some\nlast words\n")
            os._exit(7)


for _where in ("Init", "Reset", "Step", "Close", "Render"):
    for _what in ("Hangs", "Raises", "Exits"):
        gymnasium.register(
            f"{_where}{_what}-v0", UnrulyEnvironment, kwargs={"deed": _where + _what}
        )
