"""Runs one node of a run on this machine, for a launcher on another one.

  --node=actor/3 --node_hosts=... --node_facts=... FLAGS

It is the work of launch.clusters.kept_node, which loads it in a child. FLAGS are those
of launch.train. The program is made anew from them on every machine: nothing is
pickled, and the run's folder is for the learner and the evaluator alone.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("GLOG_minloglevel", "2")

import itertools
import json
import signal
import sys
from typing import Any

import numpy as np
from absl import flags as absl_flags

from kickstarting.config import run as config_lib
from launch.computing import devices, process_memory
from launch.flags import command_line
from launch.flags import run as run_flags
from launch.monitoring import node_logs, node_names
from launch.processes import (
    members,
    ports,
    proxies,
    stop_event,
    stop_signals,
)
from launch.reports import progress

_NODE_FLAG = absl_flags.DEFINE_string("node", None, "Which one, e.g. actor/3.")
_HOSTS = absl_flags.DEFINE_string(
    "node_hosts", "{}", "JSON: by group, the hosts that its nodes are dealt to."
)
_FACTS = absl_flags.DEFINE_string(
    "node_facts", "{}", "JSON: what the launcher has measured."
)
_END_WITH_INPUT = absl_flags.DEFINE_bool(
    "end_with_input", False, "End when standard input does: the launcher is gone."
)
# A node that was killed may hold its port for a moment.
_SECONDS_OF_PREDECESSOR = 20.0


def run() -> None:
    """Runs the node that argv names until the program stops; ends the process."""
    command_line.run(_main)


def _main(argv: list[str]) -> int:
    del argv
    group, _, number = (_NODE_FLAG.value or "").partition("/")
    if not number.isdigit():
        raise config_lib.ConfigError("--node must be a group and a number: actor/3")
    config = run_flags.config_from_flags()
    node_logs.begin(f"{group}/{number}")
    process_memory.keep_freed_memory()
    hosts = json.loads(_HOSTS.value)
    proxies.keep_away(itertools.chain(*hosts.values()))
    facts = json.loads(_FACTS.value)
    devices.check(facts["accelerators"].get(group, 0))
    # After the flags: it takes seconds.
    import launchpad as lp

    from launch.nodes import program as program_lib

    absl_flags.FLAGS(
        [sys.argv[0], f"--lp_termination_notice_secs={stop_signals.SECONDS_TO_STOP}"],
        known_only=True,
    )
    program = program_lib.make_program(
        config,
        np.array(facts["teacher_returns"], np.float32),
        facts.get("resumed_frames") or _resumed_frames(config),
        host_of=lambda group, number: hosts[group][number % len(hosts[group])],
    )
    nodes = program.groups.get(group, [])
    if int(number) >= len(nodes):
        raise config_lib.ConfigError(f"the program has no node {_NODE_FLAG.value}")
    if config.base_port:
        for port in node_names.ports(config, group)[int(number) :][:1]:
            ports.check("base_port", port, 1, _SECONDS_OF_PREDECESSOR)
    _prepare(program, lp)
    nodes[int(number)].function()
    return 0


def _resumed_frames(config: config_lib.Config) -> list[int]:
    """Returns how far each member is, where this machine sees the run's folder."""
    return [progress.newest_frames(member) for member in members.configs(config)]


def _prepare(program: Any, lp: Any) -> None:
    """Does in this process what Launchpad's launchers do before they start others."""
    from launchpad.launch import worker_manager

    for label, nodes in program.groups.items():
        for node in nodes:
            # The context has no other way in for launchers of one's own.
            node._launch_context.initialize(
                lp.context.LaunchType.LOCAL_MULTI_PROCESSING, None, _stop_program
            )
            for handle in node.input_handles:
                handle.connect(node, label)
            node.bind_addresses()
    stop_event.use()
    worker_manager.WorkerManager(register_in_thread=True)


def _stop_program(mark_as_completed: bool = False) -> None:
    """Ends this node's keeper; the launcher, who sees it, ends the others."""
    del mark_as_completed
    os.kill(os.getppid(), signal.SIGTERM)
