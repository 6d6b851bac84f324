"""A Gymnasium environment that takes its time and none of the processor's.

It stands for environments on machines of their own. `TASK` is its name as a task;
WAITING_STEP_SECONDS says how long a step takes.
"""

import os
import time
from typing import Any

import gymnasium
import numpy as np

TASK = "gym:benchmarks.programs.waiting_environment:Waiting-v0"
SECONDS_VARIABLE = "WAITING_STEP_SECONDS"

_EPISODE_STEPS = 500
_ACTIONS = 7


class WaitingEnvironment(gymnasium.Env):
    """Frames are uint8 [72, 96, 3], always the same; action 0 is rewarded."""

    observation_space = gymnasium.spaces.Box(0, 255, (72, 96, 3), np.uint8)
    action_space = gymnasium.spaces.Discrete(_ACTIONS)

    def __init__(self) -> None:
        self._seconds = float(os.environ.get(SECONDS_VARIABLE, "0.02"))
        self._frame = np.random.default_rng(0).integers(
            0, 256, self.observation_space.shape, np.uint8
        )
        self._steps = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed, options=options)
        self._steps = 0
        return self._frame, {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        time.sleep(self._seconds)
        self._steps += 1
        return self._frame, float(action == 0), self._steps >= _EPISODE_STEPS, False, {}


gymnasium.register(
    "Waiting-v0",
    "benchmarks.programs.waiting_environment:WaitingEnvironment",
    order_enforce=False,
)
