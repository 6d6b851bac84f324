"""launch.train, but the system's clock jumps a day forward, then two days back.

python -m tests.launch.jumping_clock FLAGS
"""

import itertools
import runpy
import time
from typing import Any

from kickstarting.learning import update

_DAY = 24 * 3600.0
# By the number of updates, how far the clock is then from where it was at first.
_JUMPS = {20: _DAY, 40: -_DAY}


def _jump_at_updates() -> None:
    read, whole = time.time, update.Update.__call__
    updates = itertools.count(1)
    jumped = [0.0]

    def updating(*arguments: Any) -> Any:
        number = next(updates)
        jumped[0] = _JUMPS.get(number, jumped[0])
        return whole(*arguments)

    update.Update.__call__ = updating
    time.time = lambda: read() + jumped[0]


if __name__ == "__main__":
    _jump_at_updates()
    runpy.run_module("launch.train", run_name="__main__", alter_sys=True)
