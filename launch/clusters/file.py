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
from typing import Any

from kickstarting.config import run as config_lib

# Stands for the line that the machine's shell is to run.
COMMAND = "{command}"
GROUPS = ("queue", "learner", "teacher", "actor", "population", "evaluator")


@dataclasses.dataclass(frozen=True)
class Machine:
    """A machine that nodes run on.

    Attributes:
      address: by which the other machines reach it, a name or a number.
      command: what starts a line of shell there; `{command}` stands for the line, e.g.
        'ssh a {command}'. It must hand on standard input, whose end ends the nodes.
      directory: of this project there; empty: the same as here.
      python: there; relative to the directory.
    """

    address: str
    command: str
    directory: str = ""
    python: str = ".venv/bin/python"


@dataclasses.dataclass(frozen=True)
class Group:
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
    replicas: int = 0
    environment: tuple[tuple[str, str], ...] = ()
    cpus: int = 1
    memory_gigabytes: float = 0.0
    accelerators: int = 0


@dataclasses.dataclass(frozen=True)
class Slurm:
    """What Slurm is told.

    Attributes:
      options: of sbatch, for all groups: partition, time, account.
      notice_seconds: before the end of the time, in which a checkpoint is written.
      setup: a line of shell for every node before it begins, e.g. 'module load cuda'.
    """

    options: tuple[str, ...] = ()
    notice_seconds: int = 120
    setup: str = ""


@dataclasses.dataclass(frozen=True)
class Kubernetes:
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
    user: int = 1000


@dataclasses.dataclass(frozen=True)
class VertexAi:
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
      machines: by name.
      groups: by name; those that are missing go where the learner goes.
      slurm: what it is told.
      kubernetes: what it is told.
      vertex_ai: what it is told.
    """

    machines: Mapping[str, Machine]
    groups: Mapping[str, Group]
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
            content = json.load(file)
        machines = {
            str(name): _made(Machine, fields)
            for name, fields in content.get("machines", {}).items()
        }
        groups = {
            str(name): _group(fields) for name, fields in content["groups"].items()
        }
        slurm = _made(Slurm, content.get("slurm", {}))
        slurm = dataclasses.replace(slurm, options=tuple(slurm.options))
        kubernetes = _made(Kubernetes, content.get("kubernetes", {}))
        vertex_ai = _made(VertexAi, content.get("vertex_ai", {}))
        cluster = Cluster(machines, groups, slurm, kubernetes, vertex_ai)
        _check_groups(cluster)
        if launch == "hosts":
            _check_machines(cluster)
    except OSError as error:
        raise config_lib.ConfigError(
            f"cannot read --cluster={path}: {error.strerror}"
        ) from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise config_lib.ConfigError(f"--cluster={path}: {error}") from error
    except KeyError as error:
        raise config_lib.ConfigError(f"--cluster={path} has no {error}") from error
    return cluster


def _made(kind: type[Any], fields: Mapping[str, Any]) -> Any:
    known = {field.name: field.type for field in dataclasses.fields(kind)}
    unknown = set(fields) - set(known)
    if unknown:
        raise ValueError(
            f"{sorted(unknown)} is unknown: there are {', '.join(sorted(known))}"
        )
    return kind(**fields)


def _group(fields: Mapping[str, Any]) -> Group:
    given = dict(fields)
    given["machines"] = tuple(given.get("machines", ()))
    given["environment"] = tuple(
        (str(name), str(value)) for name, value in given.get("environment", {}).items()
    )
    return _made(Group, given)


def _check_groups(cluster: Cluster) -> None:
    if "learner" not in cluster.groups:
        raise ValueError("groups must say where the learner goes")
    for name, group in cluster.groups.items():
        if name not in GROUPS:
            raise ValueError(f"no group {name!r}: there are {', '.join(GROUPS)}")
        for field in ("replicas", "cpus", "accelerators", "memory_gigabytes"):
            value = getattr(group, field)
            is_number = isinstance(value, int) and not isinstance(value, bool)
            if field == "memory_gigabytes":
                is_number = is_number or isinstance(value, float)
            if not is_number or value < (1 if field == "cpus" else 0):
                raise ValueError(f"group {name!r}: {field} cannot be {value!r}")
        if group.replicas and name not in ("actor", "teacher"):
            raise ValueError(f"group {name!r} has as many nodes as the program needs")


def _check_machines(cluster: Cluster) -> None:
    for name, machine in cluster.machines.items():
        words = [machine.address, machine.command, machine.directory, machine.python]
        if not all(isinstance(word, str) for word in words) or not machine.address:
            raise ValueError(
                f"machine {name!r} needs an address and a command, as text"
            )
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
