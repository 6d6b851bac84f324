"""What a part of the ring costs, in CPU time of an agent step."""

import contextlib
import time
from collections.abc import Callable, Iterator

import psutil

# Calls before what is measured.
WARM_UP = 3

# Children that are not part of what is measured.
_left_out: set[int] = set()


@contextlib.contextmanager
def without(process: int) -> Iterator[None]:
    """Leaves a child, and its descendants, out of `cpu_seconds` within the block.

    Args:
      process: its number.
    """
    _left_out.add(process)
    try:
        yield
    finally:
        _left_out.discard(process)


def cpu_seconds() -> float:
    """Returns the CPU seconds of this process and its living descendants."""
    own = psutil.Process()
    processes = [own]
    for child in own.children():
        if child.pid in _left_out:
            continue
        processes.append(child)
        with contextlib.suppress(psutil.NoSuchProcess):
            processes += child.children(recursive=True)
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def cost(step: Callable[[], int], seconds: float) -> dict[str, float]:
    """Measures a part.

    Args:
      step: does it once, and returns the agent steps that it did.
      seconds: for which it is called again and again.

    Returns:
      cpu_ms_per_step, of all processes, and steps_per_second_alone.
    """
    for _ in range(WARM_UP):
        step()
    start, cpu, steps = time.monotonic(), cpu_seconds(), 0
    while time.monotonic() - start < seconds:
        steps += step()
    wall = time.monotonic() - start
    return {
        "cpu_ms_per_step": 1e3 * (cpu_seconds() - cpu) / steps,
        "steps_per_second_alone": steps / wall,
    }
