"""Runs all nodes of a program on this machine, by Launchpad.

Who stops whom: docs/how_it_works.md.
"""

import importlib
import os
import shutil
import signal
import sys
from typing import Any

from absl import flags as absl_flags

from kickstarting.config import run as config_lib
from launch.computing import this_machine
from launch.flags import preflight
from launch.monitoring import log_tail, run_folder, shared_view, terminal
from launch.processes import proxies, stop_event, stop_signals

LOCAL_MT, LOCAL_MP = "local_mt", "local_mp"


def launch(
    config: config_lib.Config,
    checked: preflight.Checked,
    launch_type: str,
    argv: list[str],
    shows_logs: bool,
) -> BaseException | None:
    """Runs the program to its end; returns what made a node fail.

    Args:
      config: of the run.
      checked: what preflight found out.
      launch_type: LOCAL_MT or LOCAL_MP.
      argv: the program's name and Launchpad's own flags.
      shows_logs: whether what nodes in processes write is shown.
    """
    log_dir = os.path.abspath(run_folder.logs(config.logdir))
    os.environ["LAUNCHPAD_LOGGING_DIR"] = log_dir
    # Nothing of an earlier run, which may have had other nodes.
    shutil.rmtree(log_dir, ignore_errors=True)
    if launch_type == LOCAL_MT:
        terminal.send_native_errors_to(log_dir)
    # Here, and not above: Launchpad reads the variable when it is imported.
    import launchpad as lp

    from launch.nodes import program as program_lib

    absl_flags.FLAGS(
        [
            sys.argv[0],
            f"--lp_launch_type={launch_type}",
            f"--lp_termination_notice_secs={stop_signals.SECONDS_TO_STOP}",
            *argv[1:],
        ]
    )
    terminal.quieten_launchpad()
    proxies.keep_away([this_machine.name()])
    stop_event.use()
    program = program_lib.make_program(
        config,
        checked.teacher_returns.assured(),
        checked.resumed_frames,
        process_per_member=launch_type == LOCAL_MP and config.population.size > 1,
    )
    with stop_signals.remembered():
        if launch_type == LOCAL_MT:
            # Before threads do so, all at once.
            importlib.import_module("kickstarting.queue.reverb_queue")
            return _wait(lp.launch(program, launch_type=launch_type))
        return _run_processes(program, config, log_dir, shows_logs)


def _run_processes(
    program: Any, config: config_lib.Config, log_dir: str, shows_logs: bool
) -> BaseException | None:
    """Runs the program as processes; shows how it goes, and their logs."""
    import launchpad as lp

    from launch.processes import node_processes

    with shared_view.on_this_terminal(config.show) as variables:
        manager = lp.launch(
            program,
            launch_type=LOCAL_MP,
            terminal="output_to_files",
            local_resources=node_processes.resources(program, config, variables),
        )
        # Within the view, above which it shows them.
        with log_tail.shown(log_dir, shows_logs):
            return _wait(manager)


def _wait(manager: Any) -> BaseException | None:
    """Waits until every node has ended; returns what made one fail."""
    number = stop_signals.received()
    if number:
        # It came before Launchpad listened.
        signal.raise_signal(number)
    try:
        manager.wait()
    except BaseException as failure:  # noqa: BLE001 - told by the caller
        # Launchpad has asked the others to stop, but does not wait for them.
        manager.wait(raise_error=False)
        return failure
    return None
