"""Lets a step of MiniGrid take its time, but no processor's.

For program_run.ProgramRun(slow_steps=True).

Python imports it at its start, in every process that has this folder on its path.
"""

import sys
import time
from typing import Any

_STEP_SECONDS = 0.01

if "kickstarting.environments.stepping.fork_server" in sys.orig_argv:
    from minigrid import minigrid_env

    _step = minigrid_env.MiniGridEnv.step

    def _slow_step(self: minigrid_env.MiniGridEnv, action: Any) -> Any:
        time.sleep(_STEP_SECONDS)
        return _step(self, action)

    minigrid_env.MiniGridEnv.step = _slow_step  # type: ignore[method-assign]
