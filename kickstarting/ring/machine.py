"""What a run needs of the machine that it is on, looked at before anything starts.

What is short there would end it later, in the middle of something else.
"""

import os
import resource

from kickstarting.config import checks
from kickstarting.config import run as config_lib
from kickstarting.environments import suites

_SHARED_MEMORY = "/dev/shm"
# Three quarters of it were measured: a frame, and two queues of messages.
_BYTES_OF_ENGINE = 128 * 2**10
# A run of one actor had 60 open, and one more for each environment; what writes a
# checkpoint opens some more at once.
_FILES, _FILES_OF_NODE = 72, 16
# To which the limit is lifted where it may be: what libraries open is theirs to say.
_PLENTY_OF_FILES = 1024


def check(config: config_lib.Config) -> None:
    """Checks that all of a run finds room on this machine; lifts what it may itself.

    Raises:
      ConfigError: it does not.
    """
    suites_of_run = {suites.split_task(task)[0] for task in config.tasks}
    environments = (
        config.population.size * config.num_actors * config.environments_per_actor
    )
    if suites_of_run != {"xland"}:
        _check_open_files(config, environments)
    if "doom" in suites_of_run:
        _check_shared_memory(environments)


def _check_open_files(config: config_lib.Config, environments: int) -> None:
    servers = config.kickstarting.replicas if config.kickstarting.teachers else 0
    further = config.num_actors - 1 + servers
    needed = _FILES + environments + _FILES_OF_NODE * further
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY in (allowed, most) or needed <= allowed:
        return
    if needed > most:
        raise checks.ConfigError(
            f"a run with {environments} environments opens some {needed} files at "
            f"once, and this shell allows {most}: ulimit -n {needed}, or fewer "
            "environments_per_actor"
        )
    lifted = min(max(needed, _PLENTY_OF_FILES), most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lifted, most))


def _check_shared_memory(engines: int) -> None:
    needed = engines * _BYTES_OF_ENGINE
    try:
        room = os.statvfs(_SHARED_MEMORY)
        free = room.f_bavail * room.f_frsize
        is_writable = os.access(_SHARED_MEMORY, os.W_OK)
    except OSError:
        free, is_writable = 0, False
    if not is_writable:
        raise checks.ConfigError(
            f"ViZDoom needs {_SHARED_MEMORY}, which cannot be written to: mount a "
            "tmpfs there, or give the container one (docker run --shm-size=256m)"
        )
    if free < needed:
        raise checks.ConfigError(
            f"{engines} engines of ViZDoom need {needed / 2**20:.1f} MiB of "
            f"{_SHARED_MEMORY}, which has {free / 2**20:.1f}: free some, make it "
            "larger (docker run --shm-size=256m), or take fewer environments_per_actor"
        )
