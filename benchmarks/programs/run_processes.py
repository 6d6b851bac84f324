"""The processes of a run under local_mp: which node each is, and what it holds."""

import dataclasses
import re

import psutil

WORKER = "worker"

_GROUP = re.compile(r"/(\w+)\.pkl")


@dataclasses.dataclass(frozen=True)
class Held:
    """What all processes of a run hold together.

    Attributes:
      megabytes: of memory; what several share is counted once (PSS).
      descriptors: open files.
      processes: that live.
      zombies: that have ended, and that nobody has waited for.
    """

    megabytes: float
    descriptors: int
    processes: int
    zombies: int


def by_kind(launcher: psutil.Process) -> dict[str, list[psutil.Process]]:
    """Returns the processes that do the work of each kind of node.

    Args:
      launcher: the process of launch.train.

    Returns:
      by group of nodes, and by WORKER for those of environments; not their keepers.
    """
    groups = {}
    for process in launcher.children(recursive=True):
        group = _group(process)
        if group:
            groups[process.pid] = (group, process)
    kinds: dict[str, list[psutil.Process]] = {}
    for group, process in groups.values():
        try:
            parent = process.ppid()
        except psutil.NoSuchProcess:
            continue
        # A node's is its keeper; a worker's has forked it, and is none.
        if parent in groups and groups[parent][0] == group:
            kinds.setdefault(group, []).append(process)
    return kinds


def held(launcher: psutil.Process) -> Held:
    """Adds up what the run's processes hold now.

    Args:
      launcher: the process of launch.train.
    """
    megabytes, descriptors, count, zombies = 0.0, 0, 0, 0
    for process in [launcher, *launcher.children(recursive=True)]:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                zombies += 1
                continue
            megabytes += process.memory_full_info().pss / 2**20
            descriptors += process.num_fds()
            count += 1
        except psutil.NoSuchProcess:
            continue
    return Held(megabytes, descriptors, count, zombies)


def _group(process: psutil.Process) -> str | None:
    try:
        words = process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return None
    line = " ".join(words)
    if "kickstarting.environments.stepping.fork_server" in line:
        return WORKER
    found = _GROUP.search(line) if "process_entry" in line else None
    return found[1] if found else None
