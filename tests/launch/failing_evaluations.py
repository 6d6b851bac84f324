"""launch.train, but no evaluation during training can be done.

python -m tests.launch.failing_evaluations FLAGS
"""

import runpy
from typing import Any

from kickstarting.acting import evaluator
from launch.processes import revival


def _fail(*arguments: Any, **settings: Any) -> None:
    raise RuntimeError("no evaluation")


class _FailingDuringTraining:
    """In the place of the module, as the evaluations during training see it."""

    AgentPlayer = evaluator.AgentPlayer
    evaluate = staticmethod(_fail)


if __name__ == "__main__":
    from kickstarting.ring import evaluations

    evaluations.evaluator = _FailingDuringTraining
    revival._FIRST_DELAY_SECONDS = 0.01
    runpy.run_module("launch.train", run_name="__main__", alter_sys=True)
