"""The processes of local_mp: their environment, their devices, their end.

Launchpad starts one for each node.
"""

import functools
import os
import pathlib
import signal
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

import cloudpickle
import launchpad as lp
from absl import flags
from launchpad.launch import worker_manager
from launchpad.nodes.python import local_multi_processing

from kickstarting.config import run as config_lib
from launch.computing import compilation_cache, process_memory
from launch.monitoring import node_logs, terminal
from launch.processes import (
    groups,
    keeper,
    stop_event,
)


def resources(
    program: lp.Program, config: config_lib.Config, variables: Mapping[str, str]
) -> dict[str, Any]:
    """Returns what each group's processes get.

    The learner takes the accelerators; every other process stays on the CPU unless the
    config says otherwise.

    Args:
      program: whose groups are meant.
      config: of the run.
      variables: of the environment, for all of them.
    """
    repository = str(pathlib.Path(__file__).resolve().parents[2])
    path = os.pathsep.join([repository, *filter(None, sys.path)])
    processes = {}
    for group in program.groups:
        processes[group] = local_multi_processing.PythonProcess(
            args={"init_file": _init_file(config, group)},
            env={
                "PYTHONPATH": path,
                **variables,
                **groups.environment(config, group),
            },
        )
    return processes


def _init_file(config: config_lib.Config, group: str) -> str:
    """Writes what Launchpad runs first in a group's processes, beside its own files."""
    # By its name a list of processes tells whose they are.
    path = pathlib.Path(tempfile.mkdtemp()) / f"{group}.pkl"
    notice = flags.FLAGS["lp_termination_notice_secs"].value
    begin = functools.partial(
        _begin,
        os.getpid(),
        notice,
        config.logdir,
        group,
        groups.most_ends(config, group),
    )
    path.write_bytes(cloudpickle.dumps(begin))
    return str(path)


def _begin(
    launcher: int,
    termination_notice: int,
    logdir: str,
    group: str,
    most_ends: float | None,
) -> None:
    """Runs a node, and ends its process: Launchpad calls it first, and nothing more.

    Args:
      launcher: process id. When it ends, by SIGKILL even, this process is stopped as by
        the user: the learner writes a checkpoint, actors end their environments.
      termination_notice: seconds from a stop to a kill.
      logdir: of the run.
      group: of the node.
      most_ends: see keeper.keep; None: its process is not replaced.
    """
    # The launcher's, who stops its nodes in order.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    keeper.die_with_parent(launcher)
    node = f"{group}/{flags.FLAGS['lp_task_id'].value}"
    node_logs.begin(node)
    work = functools.partial(_work, termination_notice)
    if most_ends is not None:
        keeper.keep(logdir, node, work, most_ends, groups.done(logdir, group))
    work()
    sys.exit()


def _work(termination_notice: int) -> None:
    process_memory.keep_freed_memory()
    compilation_cache.keep()
    flags.FLAGS["lp_termination_notice_secs"].value = termination_notice
    terminal.quieten_launchpad()
    stop_event.use()
    # As launchpad.nodes.python.process_entry goes on where nobody keeps it from that.
    with open(flags.FLAGS["data_file"].value, "rb") as file:
        functions = cloudpickle.load(file)
    worker_manager.WorkerManager(register_in_thread=True)
    functions[flags.FLAGS["lp_task_id"].value]()
