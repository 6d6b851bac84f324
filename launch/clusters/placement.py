"""Where the nodes of a run go that is on several machines, and with which flags."""

import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from absl import flags, logging

from kickstarting.config import run as config_lib
from launch.clusters import file as cluster_file
from launch.flags import options as options_lib
from launch.flags import preflight
from launch.flags import run as run_flags
from launch.processes import groups

# Where nodes find this program, on machines that see this one's folders.
PROJECT = str(pathlib.Path(__file__).resolve().parents[2])

_BASE_PORT = 16000
# Their machines may be shared by runs, each of which has so many ports to itself.
_SHARED = ("hosts", "slurm")
_PORTS_OF_A_RUN, _RUNS = 64, 250


class Placed(NamedTuple):
    """A run with its places.

    Attributes:
      config: of the run, as the cluster's file has changed it.
      cluster: where its nodes go.
      launch: how they get there, as --launch says.
    """

    config: config_lib.Config
    cluster: cluster_file.Cluster
    launch: str

    def arguments(self, left_out: Sequence[str] = ()) -> list[str]:
        """Returns flags of launch.train that make this configuration on any machine.

        Args:
          left_out: names of flags that are not wanted.
        """
        of_logging = flags.FLAGS.flags_by_module_dict()[logging.__name__]
        return [
            *run_flags.arguments(self.config, left_out),
            *(each.serialize() for each in of_logging if not each.using_default_value),
        ]

    def facts(self, checked: preflight.Checked) -> dict[str, Any]:
        """Returns what nodes must know beside the flags, JSON-able.

        Args:
          checked: what preflight found out.
        """
        groups_given = self.cluster.groups.items()
        return {
            "teacher_returns": checked.teacher_returns.assured().tolist(),
            "accelerators": {name: group.accelerators for name, group in groups_given},
        }

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


def placed(config: config_lib.Config, options: options_lib.Options) -> Placed | None:
    """Returns where a run's nodes go; None: all stay on this machine.

    Args:
      config: as the other flags say.
      options: where and how the nodes are run.

    Raises:
      config_lib.ConfigError: the flags or the cluster's file do not fit together.
    """
    if options.launch == options_lib.LOCAL:
        if options.cluster or options.dry_run:
            raise config_lib.ConfigError(
                "--cluster and --dry_run are for several machines: give --launch"
            )
        return None
    if not options.cluster:
        raise config_lib.ConfigError(
            f"--launch={options.launch} needs --cluster: docs/clusters.md"
        )
    if config.lockstep:
        raise config_lib.ConfigError("--lockstep is for one machine")
    cluster = cluster_file.read(options.cluster, options.launch)
    actors = cluster.group("actor").replicas or config.num_actors
    teachers = cluster.group("teacher").replicas or config.kickstarting.replicas
    config = dataclasses.replace(
        config,
        logdir=os.path.abspath(config.logdir),
        base_port=config.base_port or _base_port(config.logdir, options.launch),
        num_actors=actors,
        kickstarting=dataclasses.replace(
            config.kickstarting,
            replicas=teachers,
            teachers=tuple(
                (task, _from_project(name))
                for task, name in config.kickstarting.teachers
            ),
        ),
    )
    return Placed(config, cluster, options.launch)


def _from_project(teacher: str) -> str:
    """Returns a teacher's name as nodes understand it, which begin in the project."""
    if os.getcwd() == PROJECT or not os.path.exists(teacher):
        return teacher
    return os.path.abspath(teacher)


def _base_port(logdir: str, launch: str) -> int:
    """Returns one below 32000, so that two runs on a machine seldom meet."""
    if launch not in _SHARED:
        return _BASE_PORT
    digest = hashlib.sha256(os.path.abspath(logdir).encode()).digest()
    run = int.from_bytes(digest[:4], "big") % _RUNS
    return _BASE_PORT + _PORTS_OF_A_RUN * run
