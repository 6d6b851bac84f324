"""Measures a part of the ring in a process of its own."""

import json
import subprocess
import sys


def measured(
    part: str, task: str, teacher: str, seconds: float, beside: str | None = None
) -> dict[str, float]:
    """Measures a part in a process of its own.

    Args:
      part: see benchmarks.speed.one_part.
      task: of the run.
      teacher: that is asked.
      seconds: that it is measured.
      beside: a part that keeps the last core busy; None: nothing does.

    Returns:
      what `costs.cost` does.

    Raises:
      subprocess.CalledProcessError: it ended with an error, which it has printed.
    """
    command = [
        *(sys.executable, "-m", "benchmarks.speed.one_part", f"--part={part}"),
        *(f"--task={task}", f"--teacher={teacher}", f"--seconds={seconds}"),
        *([f"--beside={beside}"] if beside else []),
    ]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(answer.stdout)
    return found
