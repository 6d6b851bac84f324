"""How many threads XLA computes with: by the cores that this process may use."""

import math
import os
import pathlib
from collections.abc import Iterator

# Up to this many cores the environments' processes keep all of them busy.
MAX_CORES = 4
_FLAG = "--xla_cpu_multi_thread_eigen"
# By which XLA sizes its pools of threads.
_POOL_VARIABLE = "NPROC"


def usable_cores(
    groups: str = "/sys/fs/cgroup", own_groups: str = "/proc/self/cgroup"
) -> int:
    """Returns how many cores this process may keep busy.

    They are the machine's only where nothing holds the process back: neither its
    affinity (taskset, cpuset) nor the quota of a control group, which is what a
    container's or a job's limit of processors is.

    Args:
      groups: where the control groups of either version are mounted.
      own_groups: the file that says in which of them this process is.

    Returns:
      at least 1; a part of a core counts as one.
    """
    cores = float(len(os.sched_getaffinity(0)))
    for folder in _own_folders(pathlib.Path(groups), pathlib.Path(own_groups)):
        cores = min(cores, _quota(folder))
    return max(1, math.ceil(cores))


def share_cores(num_cores: int) -> bool:
    """Lets XLA's computations on the CPU use the cores that there are.

    Its pools have as many threads, and where cores are few each computation runs on one
    thread: the learner's update and the actors' inference run beside the environments.
    Split over all cores, each part of a computation waits for a core that another
    process has, and the others wait for it. Has no effect once JAX has opened its
    backend.

    Args:
      num_cores: that this process may use.

    Returns:
      whether each computation runs on one thread: not on more than MAX_CORES cores, nor
      where XLA_FLAGS already says how.
    """
    os.environ.setdefault(_POOL_VARIABLE, str(num_cores))
    chosen = os.environ.get("XLA_FLAGS", "")
    if num_cores > MAX_CORES or _FLAG in chosen:
        return False
    os.environ["XLA_FLAGS"] = f"{chosen} {_FLAG}=false".strip()
    return True


def _own_folders(
    groups: pathlib.Path, own_groups: pathlib.Path
) -> Iterator[pathlib.Path]:
    """Yields the folders of this process's groups, and of those that they are in."""
    try:
        lines = own_groups.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0":
            mounts = [groups, groups / "unified"]
        elif "cpu" in controllers.split(","):
            mounts = [groups / name for name in (controllers, "cpu", "cpu,cpuacct")]
        else:
            continue
        # Seen from within a container a group may be the root of what is mounted.
        own = pathlib.PurePosixPath("/", path)
        for mount in mounts:
            for each in (own, *own.parents):
                yield mount / each.relative_to("/")


def _quota(folder: pathlib.Path) -> float:
    """Returns the cores that a group may keep busy, infinitely many without a limit."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        # 'max' or -1: none.
        return int(quota) / int(period) if int(quota) > 0 else math.inf
    except (OSError, ValueError, ZeroDivisionError):
        return math.inf
