"""Gymnasium environments that end soon, late or never, or cannot be played."""

import time

import gymnasium
import numpy as np


class _Level(gymnasium.Env):
    """Rewards action 1 with 1, over `length` steps; never ends with 0."""

    observation_space = gymnasium.spaces.Box(0, 255, (5, 5, 3), np.uint8)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(
        self, length: int = 0, seconds: float = 0.0, fails: bool = False
    ) -> None:
        self._length = length
        self._seconds = seconds
        self._fails = fails
        self._steps = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if self._fails:
            raise RuntimeError("no map [of it] is found")
        self._steps = 0
        return np.zeros((5, 5, 3), np.uint8), {}

    def step(self, action):
        time.sleep(self._seconds)
        self._steps += 1
        ended = self._steps == self._length
        return np.zeros((5, 5, 3), np.uint8), float(action), ended, False, {}


for _name, _arguments in (
    ("Short", {"length": 3}),
    ("Slow", {"length": 200, "seconds": 0.02}),
    ("Endless", {}),
    ("Failing", {"fails": True}),
):
    gymnasium.register(f"{_name}-v0", _Level, kwargs=_arguments)

SHORT, SLOW, ENDLESS, FAILING = (
    f"gym:{__name__}:{name}-v0" for name in ("Short", "Slow", "Endless", "Failing")
)
