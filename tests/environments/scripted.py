"""An environment that does what its task says, for tests of the workers."""

import json
import os
import random
import signal
import sys
import time
from typing import Any

import dm_env
import numpy as np

from kickstarting.environments import base, notices

SPEC = base.EnvironmentSpec(
    frame_shape=(2, 3, 1),
    instruction_length=2,
    action_names=("add_nothing", "add_one"),
    action_repeat=1,
)
# Replacements have seeds of other sizes.
_FIRST_SEEDS = 1000


def task(**script: Any) -> str:
    """Returns a task whose script `make` follows; see ScriptedEnvironment."""
    return f"scripted:{json.dumps(script)}"


class ScriptedEnvironment(base.SpecifiedEnvironment):
    """Counts its steps in its pixels and rewards with its actions.

    The script's keys: `length` of an episode, whether it ends in a `truncation`,
    `reset_seconds`, `crash_at` a step of an episode (0: at each reset), `crash_after`
    so many steps of its life, the step to `hang_at`, an `odd_reward` and the step that
    it comes at, an observation that has a `row_more_at`, one that leaves
    `nothing_open_at`, and what goes wrong in the making: to `refuse` it, or to `die` of
    SIGKILL, and what it `tells`, twice, and `prints` on standard error at each reset. A
    hang, an odd reward, a row and what leaves nothing open come with the first seed
    only. With `one_action` it takes action 1 at odd steps alone, 0 at even ones. Each
    reset adds the seed, on a line, to the file `resets`.
    """

    def __init__(self, settings: base.TaskSettings) -> None:
        super().__init__(SPEC)
        script = json.loads(settings.task.partition(":")[2])
        if script.get("refuse"):
            raise base.EnvironmentConfigError("scripted has no such level")
        if script.get("die"):
            os.kill(os.getpid(), signal.SIGKILL)
        self._length = script.get("length", 5)
        self._truncation = script.get("truncation", False)
        self._reset_seconds = script.get("reset_seconds", 0.0)
        self._resets = script.get("resets", os.devnull)
        self._crash_at = script.get("crash_at", -1)
        self._steps_left = script.get("crash_after", -1)
        is_first = settings.seed < _FIRST_SEEDS
        self._hang_at = script.get("hang_at", -1) if is_first else -1
        self._odd_reward_at = script.get("odd_reward_at", -1) if is_first else -1
        self._odd_reward = script.get("odd_reward")
        self._row_more_at = script.get("row_more_at", -1) if is_first else -1
        self._nothing_open_at = script.get("nothing_open_at", -1) if is_first else -1
        self._tells = script.get("tells")
        self._prints = script.get("prints")
        self._one_action = script.get("one_action", False)
        self._steps = 0
        self._seed = settings.seed

    @property
    def available_actions(self) -> np.ndarray:
        if self._steps == self._nothing_open_at:
            return np.zeros(2, bool)
        if self._one_action:
            return np.arange(2) == self._steps % 2
        return super().available_actions

    def reset(self) -> dm_env.TimeStep:
        time.sleep(self._reset_seconds)
        with open(self._resets, "a", encoding="utf-8") as file:
            file.write(f"{self._seed}\n")
        if self._crash_at == 0:
            raise RuntimeError("the script says\nthat this environment never resets")
        for _ in range(2):
            if self._tells:
                notices.tell(self._tells)
        if self._prints:
            print(self._prints, file=sys.stderr, flush=True)
        self._steps = 0
        return dm_env.restart(self._observation())

    def step(self, action: int) -> dm_env.TimeStep:
        self._steps += 1
        self._steps_left -= 1
        if self._steps == self._crash_at or self._steps_left == 0:
            raise RuntimeError("the script says that this environment crashes here")
        if self._steps == self._hang_at:
            time.sleep(3600)
        if self._steps == self._odd_reward_at:
            return dm_env.transition(self._odd_reward, self._observation())
        if self._steps < self._length:
            return dm_env.transition(float(action), self._observation())
        if self._truncation:
            return dm_env.truncation(float(action), self._observation(), discount=1.0)
        return dm_env.termination(float(action), self._observation())

    def _observation(self) -> dict[str, np.ndarray]:
        height, width, channels = SPEC.frame_shape
        height += self._steps == self._row_more_at
        return {
            base.PIXELS: np.full((height, width, channels), self._steps, np.uint8),
            base.INSTRUCTION: np.array([self._seed % 1000, self._steps], np.int32),
        }


make = ScriptedEnvironment


class DrawingEnvironment(ScriptedEnvironment):
    """Draws its frames from the generators of the process: one of numpy, one of Python.

    The first comes from its making.
    """

    def __init__(self, settings: base.TaskSettings) -> None:
        super().__init__(settings)
        self._drawn = self._draw()

    def _draw(self) -> tuple[int, int]:
        return int(np.random.randint(256)), random.randrange(256)

    def _observation(self) -> dict[str, np.ndarray]:
        observation = super()._observation()
        observation[base.PIXELS][0, :2, 0] = self._drawn
        self._drawn = self._draw()
        return observation


make_drawing = DrawingEnvironment
