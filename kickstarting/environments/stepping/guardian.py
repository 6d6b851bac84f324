"""Ends processes with all that they have started, also where who began them is killed.

Started as `python -I -S guardian.py MARK` by family.Family, of whose end it learns by
the end of its standard input: the kernel closes that, however a process ends, and
whichever of its threads began this one. What has a process's mark in its variables, and
what descends from that, belongs to the process: also a daemon in a session of its own.
What the family's processes fork themselves may take another mark (fork_server.py).

A line on standard input names one process's mark: that one is ended now.
"""

import contextlib
import os
import signal
import sys
import time

VARIABLE = "KICKSTARTING_FAMILY"

# Processes end by themselves within this time, for they see their parent's end as well,
# or are killed.
GRACE_SECONDS = 1.0
_POLL_SECONDS = 0.05
# What the kernel does not let go of is left to it.
_MOST_SECONDS = 10.0
# Among what follows the name in /proc/PID/stat.
_BEGAN = 19


def members(mark: str) -> set[int]:
    """Returns the ids of the living processes that belong to a mark.

    Args:
      mark: of one process, or what those of several begin with.
    """
    found, parents = set(), {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            state, parent = _stat(name)[:2]
            with open(f"/proc/{name}/environ", "rb") as file:
                variables = file.read().split(b"\0")
        except OSError:
            continue
        if state in b"ZX":
            continue
        parents[int(name)] = int(parent)
        if any(each.startswith(f"{VARIABLE}={mark}".encode()) for each in variables):
            found.add(int(name))
    fresh = found
    while fresh:
        fresh = {each for each, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return found


def began(process: int) -> int:
    """Returns when a process began, in ticks of the kernel's clock.

    It tells a process from an earlier one that had the same id.

    Raises:
      OSError: there is no such process.
    """
    return int(_stat(process)[_BEGAN])


def _stat(process: int | str) -> list[bytes]:
    with open(f"/proc/{process}/stat", "rb") as file:
        # The name in parentheses may hold spaces.
        return file.read().rpartition(b")")[2].split()


def end(mark: str, grace_seconds: float = 0.0) -> None:
    """Kills what belongs to a mark, once it has had time to end by itself.

    Args:
      mark: see `members`.
      grace_seconds: the longest that it has.
    """
    start = time.monotonic()
    # One that is about to become another program has no variables for a moment.
    looks_in_vain = 0
    while looks_in_vain < 2 and time.monotonic() - start < _MOST_SECONDS:
        found = members(mark)
        looks_in_vain = 0 if found else looks_in_vain + 1
        if time.monotonic() - start >= grace_seconds:
            for process in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)


def main(mark: str) -> None:
    """Waits for orders, and for the end of who gives them.

    Args:
      mark: what those of all the processes begin with.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with open(0, "rb", buffering=0) as orders:
        for line in orders:
            end(line.decode().strip())
    end(mark, GRACE_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
