"""Loads a level of DeepMind Lab in a process of its own, to see whether it can be.

What a level is missing, DeepMind Lab tells where it is loaded, which must not be in the
process that starts a run; and some levels, and some builds, end their process.
"""

import functools

from kickstarting.environments import base
from kickstarting.environments.stepping import asking

_TIMEOUT_SECONDS = 120.0
_PROCESS = "kickstarting.environments.dmlab.probe_process"


def check_loads(task: str, level: str, module: str) -> None:
    """Loads a level once for all who ask.

    Args:
      task: `suite:level`, for the message.
      level: its path.
      module: where DeepMind Lab is installed.

    Raises:
      base.EnvironmentConfigError: it cannot be loaded.
    """
    reason = _why_not(level, module)
    if reason:
        raise base.EnvironmentConfigError(f"{task} {reason}")


@functools.cache
def _why_not(level: str, module: str) -> str:
    """Returns what is wrong with a level; empty where it can be loaded."""
    del module  # Another installation is asked anew.
    task = f"dmlab:{level}"
    lines, failure = asking.ask(
        _PROCESS, [task, level], _TIMEOUT_SECONDS, f"{task}, which is loaded once"
    )
    if lines:
        return lines[0].removeprefix(f"{task} ")
    return f"cannot be loaded: DeepMind Lab {failure}" if failure else ""
