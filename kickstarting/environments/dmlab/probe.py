"""Loads a level of DeepMind Lab in a process of its own, to see whether it can be.

What a level is missing, DeepMind Lab tells where it is loaded, which must not be in the
process that starts a run; and some levels, and some builds, end their process.
"""

import functools
import json
import os
import subprocess
import sys

from kickstarting.environments import base
from kickstarting.environments.stepping import workers

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
    reader, writer = os.pipe()
    with open(reader, "rb") as answer:
        try:
            process = subprocess.run(
                (sys.executable, "-m", _PROCESS, json.dumps([task, level, writer])),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=workers.child_variables(),
                pass_fds=(writer,),
                timeout=_TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return f"is not loaded after {_TIMEOUT_SECONDS:.0f} seconds"
        finally:
            os.close(writer)
        message = answer.read().decode(errors="replace")
    if message:
        return message.removeprefix(f"{task} ")
    if process.returncode:
        lines = process.stderr.decode(errors="replace").strip().splitlines()
        said = f": {lines[-1]}" if lines else ""
        return (
            "cannot be loaded: DeepMind Lab ended its process with status "
            f"{process.returncode}{said}"
        )
    return ""
