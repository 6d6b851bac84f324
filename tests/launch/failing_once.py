"""launch.train, but one update and one step of an actor fail, once in the program.

python -m tests.launch.failing_once FLAGS
"""

import itertools
import runpy
from typing import Any

from kickstarting.acting import actor
from kickstarting.learning import update

_UPDATES = 40
_STEPS = 500


def _fail_once(owner: type, name: str, calls: int, message: str) -> None:
    whole = getattr(owner, name)
    count = itertools.count(1)

    def failing(*arguments: Any) -> Any:
        if next(count) == calls:
            raise RuntimeError(message)
        return whole(*arguments)

    setattr(owner, name, failing)


if __name__ == "__main__":
    _fail_once(update.Update, "__call__", _UPDATES, "one update")
    _fail_once(actor.Actor, "_act", _STEPS, "one step")
    runpy.run_module("launch.train", run_name="__main__", alter_sys=True)
