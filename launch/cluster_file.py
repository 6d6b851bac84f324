"""The file that says on which machines the groups of a run's nodes go, and how.

JSON, for example:

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
"""

import dataclasses
import json
import shlex
from collections.abc import Mapping
from typing import Any

from kickstarting import config as config_lib

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
      machines: names; nodes are dealt to them in turn.
      replicas: how many nodes, of actors and teachers; 0: as the flags say.
      environment: variables of the nodes' processes.
    """

    machines: tuple[str, ...]
    replicas: int = 0
    environment: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True)
class Cluster:
    """All of it.

    Attributes:
      machines: by name.
      groups: by name; those that are missing go where the learner goes.
    """

    machines: Mapping[str, Machine]
    groups: Mapping[str, Group]

    def group(self, name: str) -> Group:
        """Returns where a group goes."""
        return self.groups.get(name) or Group(self.groups["learner"].machines)

    def machine(self, group: str, index: int) -> Machine:
        """Returns the machine of one node."""
        machines = self.group(group).machines
        return self.machines[machines[index % len(machines)]]


def read(path: str) -> Cluster:
    """Reads the file.

    Args:
      path: of it.

    Raises:
      config_lib.ConfigError: it cannot be read, or says what does not fit together.
    """
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        machines = {
            str(name): _made(Machine, fields)
            for name, fields in content["machines"].items()
        }
        groups = {
            str(name): _group(fields) for name, fields in content["groups"].items()
        }
        _check(Cluster(machines, groups))
    except OSError as error:
        raise config_lib.ConfigError(
            f"cannot read --cluster={path}: {error.strerror}"
        ) from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise config_lib.ConfigError(f"--cluster={path}: {error}") from error
    except KeyError as error:
        raise config_lib.ConfigError(f"--cluster={path} has no {error}") from error
    return Cluster(machines, groups)


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


def _check(cluster: Cluster) -> None:
    if "learner" not in cluster.groups:
        raise ValueError("groups must say where the learner goes")
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
        if name not in GROUPS:
            raise ValueError(f"no group {name!r}: there are {', '.join(GROUPS)}")
        if not group.machines:
            raise ValueError(f"group {name!r} has no machines")
        missing = set(group.machines) - set(cluster.machines)
        if missing:
            raise ValueError(f"group {name!r}: no machines {sorted(missing)}")
        if not isinstance(group.replicas, int) or group.replicas < 0:
            raise ValueError(f"group {name!r}: replicas must be a number from 0 on")
        if group.replicas and name not in ("actor", "teacher"):
            raise ValueError(f"group {name!r} has as many nodes as the program needs")
