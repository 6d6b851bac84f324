"""Runs the nodes of a program on several machines, reached by ssh or any command.

A node's process is looked after there (kept_node.py); here whoever loses the connection
to it starts it again, after a while. Who stops whom: docs/how_it_works.md.
"""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence

from absl import logging

from kickstarting.config import run as config_lib
from launch.clusters import file as cluster_file
from launch.clusters import kept_node, placement
from launch.flags import preflight
from launch.monitoring import log_tail, node_names, run_folder
from launch.processes import groups, restarts, revival, stop_signals

_POLL_SECONDS = 0.2
# Of a node that has tried again itself, and of a mistake of the command line. What cuts
# the connection, or kills who looks after the node there, has others.
_FAILURE_STATUSES = (1, 2)


class NodeError(RuntimeError):
    """A node that cannot be kept going; its message is one line."""


def commands(
    placed: placement.Placed, checked: preflight.Checked
) -> dict[str, list[str]]:
    """Returns, by node, the command that runs it on its machine.

    Args:
      placed: the run and where its nodes go.
      checked: what preflight found out.
    """
    config, cluster = placed.config, placed.cluster
    hosts = {
        group: [
            cluster.machines[name].address for name in cluster.group(group).machines
        ]
        for group in cluster_file.GROUPS
    }
    facts = {**placed.facts(checked), "resumed_frames": list(checked.resumed_frames)}
    found = {}
    for node in node_names.names(config):
        group, _, number = node.partition("/")
        machine = cluster.machine(group, int(number))
        words = [
            *placed.node_command(group, machine.python),
            f"--node={node}",
            f"--node_hosts={json.dumps(hosts)}",
            f"--node_facts={json.dumps(facts)}",
            kept_node.END_WITH_INPUT,
            *placed.arguments(),
        ]
        directory = machine.directory or placement.PROJECT
        line = f"cd {shlex.quote(directory)} && {shlex.join(words)}"
        found[node] = [
            line if word == cluster_file.COMMAND else word
            for word in shlex.split(machine.command)
        ]
    return found


def show(placed: placement.Placed, checked: preflight.Checked) -> None:
    """Prints the commands.

    Args:
      placed: see `commands`.
      checked: what preflight found out.
    """
    for node, command in commands(placed, checked).items():
        print(f"{node}: {shlex.join(command)}")


def launch(
    placed: placement.Placed, checked: preflight.Checked, shows_logs: bool
) -> BaseException | None:
    """Runs the nodes until the program ends; returns what made one fail.

    Args:
      placed: see `commands`.
      checked: what preflight found out.
      shows_logs: whether what the nodes write is shown.
    """
    log_dir = os.path.abspath(run_folder.logs(placed.config.logdir))
    # Nothing of an earlier run, which may have had other nodes.
    shutil.rmtree(log_dir, ignore_errors=True)
    nodes = [
        _Node(placed.config, name, command, pathlib.Path(log_dir, name))
        for name, command in commands(placed, checked).items()
    ]
    with stop_signals.remembered(), log_tail.shown(log_dir, shows_logs):
        try:
            return _run(nodes)
        finally:
            _end(nodes)


def _run(nodes: Sequence["_Node"]) -> BaseException | None:
    """Keeps the nodes going until the program ends or is to stop."""
    try:
        for node in nodes:
            node.start()
        has_ended = False
        while not has_ended and stop_signals.received() is None:
            time.sleep(_POLL_SECONDS)
            # Each is looked at, whatever the one before says.
            has_ended = sum(node.look() for node in nodes) > 0
    except (NodeError, OSError) as error:
        print(error, file=sys.stderr)
        return error
    return None


def _end(nodes: Sequence["_Node"]) -> None:
    """Asks the nodes to end, and kills what still runs here after a while."""
    for node in nodes:
        node.end()
    deadline = time.monotonic() + stop_signals.SECONDS_TO_STOP
    while any(node.is_running() for node in nodes):
        if stop_signals.is_urgent() or time.monotonic() > deadline:
            break
        time.sleep(_POLL_SECONDS)
    for node in nodes:
        node.kill()


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
        self._patience = revival.Patience(
            groups.MOST_ENDS[self.group], groups.done(config.logdir, self.group)
        )
        self._last_group = node_names.last_group(config)
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
          NodeError: it has failed, or ends again and again.
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
        if status in _FAILURE_STATUSES:
            raise NodeError(f"{self.name} has failed: {said}")
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

    def is_running(self) -> bool:
        """Whether its command has not ended."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Kills what still runs here."""
        if self._process is not None and self.is_running():
            logging.warning("%s does not end and is killed", self.name)
            self._process.kill()
            self._process.wait()
