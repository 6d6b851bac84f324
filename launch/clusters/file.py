"""The file that says where the groups of a run's nodes go, and what they get there.

JSON, for example, for --launch=hosts:

  {
    "machines": {
      "a": {"address": "10.0.0.1", "command": "ssh a {command}"},
      "b": {"address": "10.0.0.2", "command": "ssh b {command}"}
    },
    "groups": {
      "learner": {"machines": ["a"]},
      "queue": {"machines": ["a"]},
      "teacher": {"machines": ["b"], "replicas": 2},
      "actor": {"machines": ["b", "a"], "replicas": 16}
    }
  }

and for --launch=slurm, kubernetes and vertex_ai, which find machines by themselves:

  {
    "slurm": {"options": ["--partition=gpu", "--time=1-00:00:00"]},
    "kubernetes": {"image": "registry.lan/kickstarting:1"},
    "vertex_ai": {"run_folder": "/gcs/my-bucket/runs"},
    "groups": {
      "learner": {"cpus": 8, "memory_gigabytes": 32, "accelerators": 1},
      "actor": {"replicas": 16, "cpus": 2, "memory_gigabytes": 4}
    }
  }
"""

import dataclasses
import json
import shlex
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from kickstarting.config import run as config_lib

# Stands for the line that the machine's shell is to run.
COMMAND = "{command}"
GROUPS = ("queue", "learner", "teacher", "actor", "population", "evaluator")

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Positive = Annotated[int, msgspec.Meta(ge=1)]
_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Section(  # type: ignore[call-arg]  # mypy is not shown the libraries.
    msgspec.Struct, frozen=True, forbid_unknown_fields=True
):
    """A part of the file: it has these fields alone, of these types and ranges."""


class Machine(_Section):
    """A machine that nodes run on.

    Attributes:
      address: by which the other machines reach it, a name or a number.
      command: what starts a line of shell there; `{command}` stands for the line, e.g.
        'ssh a {command}'. It must hand on standard input, whose end ends the nodes.
      directory: of this project there; empty: the same as here.
      python: there; relative to the directory.
    """

    address: _Text
    command: str
    directory: str = ""
    python: str = ".venv/bin/python"


class Group(_Section):
    """Where the nodes of a group go.

    Attributes:
      machines: names; nodes are dealt to them in turn. Of --launch=hosts.
      replicas: how many nodes, of actors and teachers; 0: as the flags say.
      environment: variables of the nodes' processes.
      cpus: cores of each node, for whoever finds machines.
      memory_gigabytes: of each node; 0: not asked for.
      accelerators: of each node.
    """

    machines: tuple[str, ...] = ()
    replicas: _Count = 0
    environment: Mapping[str, str | int | float | bool] = {}
    cpus: _Positive = 1
    memory_gigabytes: _Count | Annotated[float, msgspec.Meta(ge=0)] = 0
    accelerators: _Count = 0


class Slurm(_Section):
    """What Slurm is told.

    Attributes:
      options: of sbatch, for all groups: partition, time, account.
      notice_seconds: before the end of the time, in which a checkpoint is written.
      setup: a line of shell for every node before it begins, e.g. 'module load cuda'.
    """

    options: tuple[str, ...] = ()
    notice_seconds: _Count = 120
    setup: str = ""


class Kubernetes(_Section):
    """What Kubernetes is told.

    Attributes:
      image: made of launch/docker/Dockerfile, where the nodes can pull it.
      namespace: of everything.
      storage: size of the claim that holds the run's folder.
      storage_class: of the claim; empty: the cluster's own choice.
      access_mode: of the claim: evaluators share it with the learner.
      accelerator: the resource that a group's `accelerators` are counted in.
      directory: of the project in the image.
      run_folder: where the claim is in the pods; the run is in a folder of its name.
      user: number of the user that the pods run as.
    """

    image: str = "kickstarting"
    namespace: str = "default"
    storage: str = "100Gi"
    storage_class: str = ""
    access_mode: str = "ReadWriteMany"
    accelerator: str = "nvidia.com/gpu"
    directory: str = "/kickstarting"
    run_folder: str = "/runs"
    user: _Count = 1000


class VertexAi(_Section):
    """What Vertex AI is told.

    Attributes:
      run_folder: in a bucket, as the nodes see it, '/gcs/BUCKET/FOLDER'; the run is in
        a folder of its name there.
      accelerator: what a group's `accelerators` are, as xmanager names it.
    """

    run_folder: str = ""
    accelerator: str = "T4"


@dataclasses.dataclass(frozen=True)
class Cluster:
    """All of it.

    Attributes:
      groups: by name; those that are missing go where the learner goes.
      machines: by name.
      slurm: what it is told.
      kubernetes: what it is told.
      vertex_ai: what it is told.
    """

    groups: Mapping[str, Group]
    machines: Mapping[str, Machine] = dataclasses.field(default_factory=dict)
    slurm: Slurm = Slurm()
    kubernetes: Kubernetes = Kubernetes()
    vertex_ai: VertexAi = VertexAi()

    def group(self, name: str) -> Group:
        """Returns where a group goes, and what its nodes get."""
        return self.groups.get(name) or Group(self.groups["learner"].machines)

    def machine(self, group: str, index: int) -> Machine:
        """Returns the machine of one node."""
        machines = self.group(group).machines
        return self.machines[machines[index % len(machines)]]


def read(path: str, launch: str) -> Cluster:
    """Reads the file.

    Args:
      path: of it.
      launch: what it is for, as --launch says.

    Raises:
      config_lib.ConfigError: it cannot be read, or says what does not fit together.
    """
    try:
        with open(path, encoding="utf-8") as file:
            # Says the line and column of what is no JSON.
            content = _made(dict[str, Any], json.load(file))
        # One by one, so that an error names the group or the machine.
        for section, kind in (("groups", Group), ("machines", Machine)):
            entries = _made(dict[str, Any], content.get(section, {}), f"{section}: ")
            content[section] = {
                name: _made(kind, fields, f"{section}.{name}: ")
                for name, fields in entries.items()
            }
        cluster = _made(Cluster, content)
        _check_groups(cluster)
        if launch == "hosts":
            _check_machines(cluster)
    except OSError as error:
        raise config_lib.ConfigError(
            f"cannot read --cluster={path}: {error.strerror}"
        ) from error
    except (ValueError, RecursionError) as error:
        line = " ".join(str(error).split())
        raise config_lib.ConfigError(
            f"--cluster={path}: {line}; see docs/clusters.md"
        ) from error
    return cluster


def _made(kind: Any, content: Any, where: str = "") -> Any:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"{where}{error}") from error


def _check_groups(cluster: Cluster) -> None:
    if "learner" not in cluster.groups:
        raise ValueError("groups must say where the learner goes")
    for name, group in cluster.groups.items():
        if name not in GROUPS:
            raise ValueError(f"no group {name!r}: there are {', '.join(GROUPS)}")
        if group.replicas and name not in ("actor", "teacher"):
            raise ValueError(f"group {name!r} has as many nodes as the program needs")


def _check_machines(cluster: Cluster) -> None:
    for name, machine in cluster.machines.items():
        if COMMAND not in shlex.split(machine.command):
            raise ValueError(
                f"the command of machine {name!r} must have {COMMAND} as a word of its "
                f"own, e.g. 'ssh {name} {COMMAND}'"
            )
    for name, group in cluster.groups.items():
        if not group.machines:
            raise ValueError(f"group {name!r} has no machines")
        missing = set(group.machines) - set(cluster.machines)
        if missing:
            raise ValueError(f"group {name!r}: no machines {sorted(missing)}")
