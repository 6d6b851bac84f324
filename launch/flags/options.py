"""Settings of launch.train that are no part of what is trained.

Nothing heavy is loaded here: flags are read before anything starts a thread.
"""

import dataclasses

from absl import flags

from kickstarting.config import presets, settings
from kickstarting.config import run as config_lib
from kickstarting.config.groups import LAB, NETWORK, RING, RUN, SERVERS
from launch.flags import derived

_PLACES = settings.Group("places", "threads or processes, on one machine or on several")
LOCAL = "local"


@dataclasses.dataclass(frozen=True)
class Options:
    """Where and how the nodes of a run are run."""

    lp_launch_type: str = _PLACES.setting("local_mt", ("local_mt", "local_mp")).help("""
        Launchpad's: all nodes as threads of this process, or each in a process.
        Default: local_mt, and local_mp for a population, whose members are then
        processes.""")
    logs: str = _PLACES.setting("terminal", ("terminal", "files")).help("""
        local_mp: whether the nodes' logs, always written to <logdir>/logs, are also
        shown in the terminal.""")
    launch: str = _PLACES.setting(
        LOCAL, (LOCAL, "hosts", "slurm", "kubernetes", "vertex_ai")
    ).help("""
        Where the nodes run: on this machine, on those of --cluster, or where Slurm,
        Kubernetes or Vertex AI finds room for them.""")
    cluster: str = _PLACES.setting("").help("""
        The file of the groups of nodes (docs/clusters.md).""")
    dry_run: bool = _PLACES.setting(False).help("""
        With --cluster: check everything, print what would be run, and run nothing.""")
    private_network: bool = SERVERS.setting(True).help("""
        Whether the run gets a network of its own, where its servers, which run what
        they are sent, are out of reach of other hosts and other programs.
        --noprivate_network where an environment or a teacher of yours needs the real
        one.""")

    def __post_init__(self) -> None:
        settings.check(self)


@dataclasses.dataclass(frozen=True)
class Origins:
    """Where settings come from that no flag gives; the first that has one says it."""

    config: str = RUN.setting("", first=True).help("""
        Start from a saved configuration, e.g. runs/x/config.json, which names its
        logdir as well; flags that are given go on top of it.""")
    preset: str = RUN.setting(presets.NONE, tuple(presets.PRESETS), first=True).help("""
        Settings where neither flags nor --config say them. paper: IMPALA, and
        kickstarting, as they were published, without what sets the default apart.""")
    recommended: bool = RUN.setting(True).help("""
        Take what is recommended for the suite or level of the tasks where nothing else
        says it; --norecommended: the defaults.""")
    change: tuple[str, ...] = RUN.setting(()).help("""
        Settings of a run that goes on which may differ from what it has learned with,
        though that means something else then, e.g. discount,teachers.""")

    def __post_init__(self) -> None:
        settings.check(self)


@dataclasses.dataclass(frozen=True)
class Shorthands:
    """Flags that say a setting in another way."""

    # Schmitt et al. 2018, section 4.2, has 5.
    environments_per_task: int = RING.setting(
        1, f"[1, {config_lib.MAX_ENVIRONMENTS}]"
    ).help("""
        Environments of each task over all actors, where environments_per_actor is not
        given. Default: 5 with several actors, as the paper has, else 1.""")
    popart_per_task: bool = NETWORK.setting(False).help("""
        Give the critic a value for each task, and normalise each task's returns and
        advantages by their own statistics: for tasks whose rewards differ in size.""")
    level_seeds: str = LAB.setting("").help("""
        DeepMind Lab: seeds of training's episodes, first-last, so that all maps are in
        the level cache (launch.warm_level_cache). Default: all.""")


KINDS = (config_lib.Config, Origins, Options, Shorthands)
for _kind in KINDS:
    derived.define(_kind)


def wants_private_network(argv: list[str]) -> bool:
    """Returns whether a command line wants the run in a network of its own.

    Args:
      argv: of a process that has not begun yet; what is wrong with it is told later.
    """
    try:
        flags.FLAGS(argv, known_only=True)
        given = derived.made(Options)
    except (flags.Error, config_lib.ConfigError):
        return False
    # A run on several machines needs the network that they share.
    return given.private_network and given.launch == LOCAL
