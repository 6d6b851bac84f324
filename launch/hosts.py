"""Runs the nodes of a program on several machines, reached by ssh or any command.

A node's process looks after itself there (launch.node); here whoever loses the
connection to it starts it again, after a while.
"""

import json
import os
import pathlib
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
from absl import logging

from kickstarting import config as config_lib
from launch import (
    cluster_file,
    cluster_flags,
    groups,
    node_keeper,
    restarts,
    revival,
)

_POLL_SECONDS = 0.2
# A mistake of the command line, which no other try would mend.
_USAGE_STATUS = 2


class NodeError(RuntimeError):
    """A node that cannot be kept going; its message is one line."""


def nodes(config: config_lib.Config) -> list[str]:
    """Returns the names of the program's nodes, those that others wait for first.

    Args:
      config: of the run.
    """
    size = config.population.size
    evaluates = config.evaluation_episodes and config.evaluation_minutes
    counts = {
        "queue": size,
        "learner": size,
        "teacher": config.kickstarting.replicas if config.asks_teachers else 0,
        "actor": size * config.num_actors,
        "population": 1 if size > 1 else 0,
        "evaluator": size if evaluates else 0,
    }
    return [
        f"{group}/{number}"
        for group, count in counts.items()
        for number in range(count)
    ]


def commands(
    placed: cluster_flags.Placed,
    teacher_returns: np.ndarray,
    resumed_frames: Sequence[int],
) -> dict[str, list[str]]:
    """Returns, by node, the command that runs it on its machine.

    Args:
      placed: the run and where its nodes go.
      teacher_returns: float32 [num_tasks, K], TeacherReturns.assured().
      resumed_frames: of each member, of the checkpoint that it goes on from, else 0.
    """
    config, cluster, arguments = placed
    hosts = {
        group: [
            cluster.machines[name].address for name in cluster.group(group).machines
        ]
        for group in cluster_file.GROUPS
    }
    facts = {
        "teacher_returns": np.asarray(teacher_returns).tolist(),
        "resumed_frames": list(resumed_frames),
    }
    found = {}
    for node in nodes(config):
        group, _, number = node.partition("/")
        machine = cluster.machine(group, int(number))
        variables = {
            **groups.environment(config, group),
            **dict(cluster.group(group).environment),
        }
        words = [
            "exec",
            "env",
            *(f"{name}={value}" for name, value in variables.items()),
            machine.python,
            "-m",
            "launch.node",
            f"--node={node}",
            f"--node_hosts={json.dumps(hosts)}",
            f"--node_facts={json.dumps(facts)}",
            node_keeper.END_WITH_INPUT,
            *arguments,
        ]
        directory = machine.directory or os.getcwd()
        line = f"cd {shlex.quote(directory)} && {shlex.join(words)}"
        found[node] = [
            line if word == cluster_file.COMMAND else word
            for word in shlex.split(machine.command)
        ]
    return found


class _Node:
    """One node, as far as it is seen from here."""

    def __init__(
        self,
        config: config_lib.Config,
        name: str,
        command: list[str],
        log: pathlib.Path,
    ) -> None:
        self.name = name
        self.group = name.partition("/")[0]
        self._config = config
        self._command = command
        self._log = log
        self._patience = revival.Patience(groups.MOST_ENDS[self.group])
        self._last_group = "population" if config.population.size > 1 else "learner"
        self._due = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts its command."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for the launcher, which ends the nodes in its own way.
                start_new_session=True,
            )
        self._patience.begin()

    def look(self) -> bool:
        """Starts it again where it has ended, after a while.

        Returns:
          whether it has ended, and with it the program.

        Raises:
          NodeError: it has ended by a mistake, or again and again.
        """
        if self._process is None:
            if time.monotonic() >= self._due:
                self.start()
            return False
        status = self._process.poll()
        if status is None:
            return False
        self._process = None
        if status == 0 and self.group == self._last_group:
            return True
        said = f"see {self._log}"
        if status == _USAGE_STATUS:
            raise NodeError(f"{self.name} was refused: {said}")
        delay = self._patience.after_end()
        if delay is None:
            raise NodeError(f"{self.name} ends again and again: {said}")
        self._due = time.monotonic() + delay
        reason = f"ended there with status {status}"
        logging.warning("%s %s and begins again: %s", self.name, reason, said)
        restarts.record(self._config.logdir, self.name, reason)
        return False

    def end(self) -> None:
        """Asks it to end: its standard input ends."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def wait(self, deadline: float) -> None:
        """Waits until then at the most, and then kills what runs here."""
        if self._process is None:
            return
        try:
            self._process.wait(max(deadline - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            logging.warning("%s does not end and is killed", self.name)
            self._process.kill()
            self._process.wait()


def show(
    placed: cluster_flags.Placed,
    teacher_returns: np.ndarray,
    resumed_frames: Sequence[int],
) -> None:
    """Prints the commands; see `commands` for the arguments."""
    found = commands(placed, teacher_returns, resumed_frames)
    for node, command in found.items():
        print(f"{node}: {shlex.join(command)}")


def run(
    placed: cluster_flags.Placed,
    teacher_returns: np.ndarray,
    resumed_frames: Sequence[int],
    log_dir: str,
    should_stop: Callable[[], bool],
    seconds_to_stop: float,
) -> BaseException | None:
    """Runs the nodes until the program ends; returns what made one fail.

    Args:
      placed: see `commands`.
      teacher_returns: see `commands`.
      resumed_frames: see `commands`.
      log_dir: folder of the nodes' output.
      should_stop: whether the user has asked for it.
      seconds_to_stop: from a stop to a kill.
    """
    found = commands(placed, teacher_returns, resumed_frames)
    all_nodes = [
        _Node(placed.config, name, command, pathlib.Path(log_dir, name))
        for name, command in found.items()
    ]
    wake = threading.Event()
    failure: BaseException | None = None
    try:
        for node in all_nodes:
            node.start()
        has_ended = False
        while not has_ended and not should_stop():
            wake.wait(_POLL_SECONDS)
            # Each is looked at, whatever the one before says.
            has_ended = sum(node.look() for node in all_nodes) > 0
    except (NodeError, OSError) as error:
        print(error, file=sys.stderr)
        failure = error
    for node in all_nodes:
        node.end()
    deadline = time.monotonic() + seconds_to_stop
    for node in all_nodes:
        node.wait(deadline)
    return failure
