"""The processes of local_mp: their environment, their devices, their end.

Launchpad starts one for each node.
"""

import functools
import math
import os
import pathlib
import sys
import tempfile
from typing import Any

import cloudpickle
import launchpad as lp
from absl import flags, logging
from launchpad.nodes.python import local_multi_processing

from kickstarting import config as config_lib
from launch import member_process, process_memory, revival, terminal

# Killed processes in a row, within a short time each, that end the run. Without a
# teacher, an actor or an evaluator the others go on; a learner, a queue or a controller
# that dies at once each time will not live longer the next.
_MOST_ENDS = {
    "teacher": math.inf,
    "actor": math.inf,
    "evaluator": math.inf,
    "learner": revival.MOST_ENDS,
    "queue": revival.MOST_ENDS,
    "member": revival.MOST_ENDS,
    "population": revival.MOST_ENDS,
}


def resources(program: lp.Program, config: config_lib.Config) -> dict[str, Any]:
    """Returns what each group's processes get.

    The learner takes the accelerators; every other process stays on the CPU unless the
    config says otherwise.

    Args:
      program: whose groups are meant.
      config: of the run.
    """
    repository = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    common = {
        "PYTHONPATH": os.pathsep.join([repository, *filter(None, sys.path)]),
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }
    on_cpu = {**common, "JAX_PLATFORMS": "cpu"}
    groups = {}
    for group in program.groups:
        keeps_accelerators = group in ("learner", "member") or (
            config.inference_device == "accelerator" and group in ("actor", "teacher")
        )
        groups[group] = local_multi_processing.PythonProcess(
            args={"init_file": _init_file(config, group)},
            env={
                **(common if keeps_accelerators else on_cpu),
                **(member_process.environment(config) if group == "member" else {}),
            },
        )
    return groups


def most_ends(config: config_lib.Config, group: str) -> float | None:
    """Returns how many killed processes in a row end the run; see revival.

    Args:
      config: of the run.
      group: of the node.

    Returns:
      None where the first one does.
    """
    if group == "teacher" or revival.is_wanted(config):
        return _MOST_ENDS[group]
    return None


def _init_file(config: config_lib.Config, group: str) -> str:
    """Writes what Launchpad runs first in a group's processes, beside its own files."""
    # By its name a list of processes tells whose they are.
    path = pathlib.Path(tempfile.mkdtemp()) / f"{group}.pkl"
    notice = flags.FLAGS["lp_termination_notice_secs"].value
    begin = functools.partial(
        _begin, os.getpid(), notice, config.logdir, group, most_ends(config, group)
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
    """Prepares the process of a node.

    Args:
      launcher: process id. When it ends, by SIGKILL even, this process is stopped as by
        the user: the learner writes a checkpoint, actors end their environments.
      termination_notice: seconds from a stop to a kill.
      logdir: of the run.
      group: of the node.
      most_ends: see revival.return_in_child; None: its process is not replaced.
    """
    revival.die_with_parent(launcher)
    if most_ends is not None:
        index = flags.FLAGS["lp_task_id"].value
        revival.return_in_child(logdir, f"{group}/{index}", most_ends)
    process_memory.keep_freed_memory()
    flags.FLAGS["lp_termination_notice_secs"].value = termination_notice
    logging.set_verbosity(logging.WARNING)
    terminal.quieten_launchpad()
