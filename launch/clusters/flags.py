"""The flags that take a run from one machine to several."""

import dataclasses
import os
import sys
from typing import NamedTuple

from absl import flags

from kickstarting.config import run as config_lib
from launch.clusters import file as cluster_file
from launch.processes import groups

LAUNCH = flags.DEFINE_enum(
    "launch",
    "local",
    ["local", "hosts", "slurm", "kubernetes", "vertex_ai"],
    "Where the nodes run: on this machine, on those of --cluster, or where Slurm, "
    "Kubernetes or Vertex AI finds room for them.",
)
CLUSTER = flags.DEFINE_string(
    "cluster",
    None,
    "The file of the groups of nodes (docs/clusters.md).",
)
DRY_RUN = flags.DEFINE_bool(
    "dry_run",
    False,
    "With --cluster: check everything, print what would be run, and run nothing.",
)
_BASE_PORT = 16000
# Of this process alone; what the cluster's file changes is given anew.
_NOT_PASSED_ON = ("launch", "cluster", "dry_run", "nodry_run", "logdir", "base_port")


class Placed(NamedTuple):
    """A run with its places.

    Attributes:
      config: of the run, as the cluster's file has changed it.
      cluster: where its nodes go.
      arguments: flags that make this config of launch.train's.
    """

    config: config_lib.Config
    cluster: cluster_file.Cluster
    arguments: list[str]

    def environment(self, group: str) -> dict[str, str]:
        """Returns the variables of a group's processes."""
        given = self.cluster.group(group).environment
        return {
            **groups.environment(self.config, group),
            **{name: str(value) for name, value in given.items()},
        }

    def node_command(self, group: str, python: str) -> list[str]:
        """Returns the words that begin one of a group's nodes; its flags follow."""
        variables = self.environment(group).items()
        assignments = [f"{name}={value}" for name, value in variables]
        return ["exec", "env", *assignments, python, "-m", "launch.clusters.kept_node"]


def placed(config: config_lib.Config) -> Placed | None:
    """Returns where a run's nodes go; None: all stay on this machine.

    Args:
      config: as the other flags say.

    Raises:
      config_lib.ConfigError: the flags or the cluster's file do not fit together.
    """
    if LAUNCH.value == "local":
        if CLUSTER.value or DRY_RUN.value:
            raise config_lib.ConfigError(
                "--cluster and --dry_run are for several machines: give --launch"
            )
        return None
    if not CLUSTER.value:
        raise config_lib.ConfigError(
            f"--launch={LAUNCH.value} needs --cluster: docs/clusters.md"
        )
    if config.lockstep:
        raise config_lib.ConfigError("--lockstep is for one machine")
    cluster = cluster_file.read(CLUSTER.value, LAUNCH.value)
    actors = cluster.group("actor").replicas or config.num_actors
    teachers = cluster.group("teacher").replicas or config.kickstarting.replicas
    config = dataclasses.replace(
        config,
        logdir=os.path.abspath(config.logdir),
        base_port=config.base_port or _BASE_PORT,
        num_actors=actors,
        kickstarting=dataclasses.replace(config.kickstarting, replicas=teachers),
    )
    arguments = [
        *(each for each in sys.argv[1:] if not _is_own(each)),
        f"--logdir={config.logdir}",
        f"--base_port={config.base_port}",
        f"--num_actors={actors}",
        f"--teacher_replicas={teachers}",
    ]
    return Placed(config, cluster, arguments)


def _is_own(argument: str) -> bool:
    return argument.lstrip("-").partition("=")[0] in _NOT_PASSED_ON
