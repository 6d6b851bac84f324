r"""Trains a student, kickstarted by teachers where some are named.

  python -m launch.train --tasks=doom:defend_the_center \
      --teachers=teachers/doom/defend_the_center --total_frames=1000000

Stops by itself at --total_frames. Ctrl-C or SIGTERM: a last checkpoint, then the end;
the same command goes on from there. Everything is written to --logdir.

Only --tasks matters at first. Levels are e.g. doom:my_way_home,
gym:MiniGrid-DoorKey-6x6-v0, xland:MiniGrid-FourRooms.
Flags that begin with --lp_ go to Launchpad.
"""

import os
import signal
import sys

from launch import private_network

if __name__ == "__main__":
    # Until all is loaded: Python's own handler is lost in callbacks of JAX.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Before anything starts a thread.
    private_network.enter_if_wanted(sys.argv)

# Before TensorFlow and Reverb load: they would fill the terminal with their own logs.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("GLOG_minloglevel", "2")

import contextlib
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

import jax
from absl import flags as absl_flags
from absl import logging
from rich import console as rich_console

from kickstarting import config as config_lib
from kickstarting import run_files
from launch import (
    command_line,
    flags,
    lab_flags,
    log_tail,
    members,
    population_flags,
    population_report,
    preflight,
    report,
    run_folder,
    teacher_flags,
    teacher_map,
    teacher_measurement,
    terminal,
)

_LOCAL_MT, _LOCAL_MP = "local_mt", "local_mp"
# From a stop to a kill: a big checkpoint on a slow disk takes its time.
_SECONDS_TO_STOP = 30


def main(argv: list[str]) -> int:
    """Checks, launches, waits, reports.

    Args:
      argv: what is left of the command line: Launchpad's own flags.

    Returns:
      0 when total_frames were reached, 128 + signal when stopped before, 1 when a node
      failed.
    """
    config = flags.config_from_flags()
    launch_type = flags.launch_type(config)
    if launch_type == _LOCAL_MP:
        # The accelerators belong to the learner's process, not to this one.
        num_devices = _count_devices_elsewhere()
        jax.config.update("jax_platforms", "cpu")
    else:
        num_devices = preflight.num_local_devices()
    checked = preflight.check(config, num_devices, flags.num_ports(config))
    resumed_frames = min(checked.resumed_frames)
    if resumed_frames >= config.total_frames:
        print(
            f"{config.logdir} has reached {resumed_frames:,} frames already: "
            "nothing to train. Raise --total_frames to go on."
        )
        # It may have been stopped between its last checkpoint and its scores.
        if not _is_evaluated(config, resumed_frames):
            _finish(config)
        return 0
    checked = checked._replace(
        teacher_returns=teacher_measurement.complete(config, checked.teacher_returns)
    )
    if config.kickstarting.teachers:
        rich_console.Console().print(teacher_map.table(config, checked.teacher_returns))
    if private_network.exposed:
        print(private_network.exposed, file=sys.stderr)
    files = run_files.RunFiles(config.logdir)
    files.write_config({**preflight.as_dict(config), "lp_launch_type": launch_type})
    files.close()
    failure = _launch(config, checked, launch_type, argv)
    if failure is not None:
        logging.error(
            "A node failed (%r); logs are in %s",
            failure,
            run_folder.logs(config.logdir),
        )
        return 1
    frames = min(map(report.newest_frames, members.configs(config)))
    if frames >= config.total_frames:
        _finish(config)
        return 0
    print(f"Stopped at {frames:,} frames. The same command goes on from there.")
    return 128 + (_Signals.received or signal.SIGTERM)


def _is_evaluated(config: config_lib.Config, frames: int) -> bool:
    if not config.evaluation_episodes:
        return True
    return any(
        report.evaluated_frames(member.logdir) >= frames
        for member in members.configs(config)
    )


def _finish(config: config_lib.Config) -> None:
    """Leaves what a person gets at the end; of a population that of its best member."""
    if config.population.size > 1:
        config = population_report.finish(config)
    report.finish(config)


class _Signals:
    """Remembers which signal ended the run; Launchpad acts on it."""

    received: int | None = None

    @classmethod
    def remember(cls, number: int, frame: object) -> None:
        del frame
        cls.received = cls.received or number
        if number == signal.SIGINT:
            print("\nStopping with a last checkpoint. Ctrl-C again: without.")


def _launch(
    config: config_lib.Config,
    checked: preflight.Checked,
    launch_type: str,
    argv: list[str],
) -> BaseException | None:
    """Runs the program to its end; returns what made a node fail."""
    log_dir = os.path.abspath(run_folder.logs(config.logdir))
    os.environ["LAUNCHPAD_LOGGING_DIR"] = log_dir
    # Nothing of an earlier run, which may have had other nodes.
    shutil.rmtree(log_dir, ignore_errors=True)
    if launch_type == _LOCAL_MT:
        terminal.send_native_errors_to(log_dir)
    # Here, and not above: Launchpad reads the variable when it is imported, and loads
    # TensorFlow, which takes seconds; mistakes are told before.
    import launchpad as lp

    from launch import program as program_lib

    absl_flags.FLAGS(
        [
            sys.argv[0],
            f"--lp_launch_type={launch_type}",
            f"--lp_termination_notice_secs={_SECONDS_TO_STOP}",
            *argv[1:],
        ]
    )
    terminal.quieten_launchpad()
    before = {
        number: signal.signal(number, _Signals.remember)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    program = program_lib.make_program(
        config,
        checked.teacher_returns.assured(),
        checked.resumed_frames,
        process_per_member=launch_type == _LOCAL_MP and config.population.size > 1,
    )
    try:
        with _scratch_folder():
            if launch_type == _LOCAL_MT:
                return _wait(lp.launch(program, launch_type=launch_type))
            return _run_processes(program, config, log_dir)
    finally:
        # Launchpad's handlers would wait for nodes that have ended.
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _scratch_folder() -> Iterator[None]:
    """Gives Launchpad and Reverb, which leave temporary files, a place that ends."""
    before = os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory(prefix="kickstarting-") as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = None
            os.environ.pop("TMPDIR")
            if before is not None:
                os.environ["TMPDIR"] = before


def _run_processes(
    program: Any, config: config_lib.Config, log_dir: str
) -> BaseException | None:
    """Runs the program as processes and shows their logs."""
    import launchpad as lp

    from launch import node_processes

    manager = lp.launch(
        program,
        launch_type=_LOCAL_MP,
        terminal="output_to_files",
        local_resources=node_processes.resources(program, config),
    )
    ended = threading.Event()
    tail = threading.Thread(
        target=log_tail.follow, args=(log_dir, ended), name="logs", daemon=True
    )
    if flags.LOGS.value == "terminal":
        tail.start()
    try:
        return _wait(manager)
    finally:
        ended.set()
        if tail.is_alive():
            tail.join()


def _wait(manager: Any) -> BaseException | None:
    """Waits until every node has ended; returns what made one fail."""
    if _Signals.received:
        # It came before Launchpad listened.
        signal.raise_signal(_Signals.received)
    try:
        manager.wait()
    except BaseException as failure:  # noqa: BLE001 - told by the caller
        # Launchpad has asked the others to stop, but does not wait for them.
        manager.wait(raise_error=False)
        return failure
    return None


def _count_devices_elsewhere() -> int:
    """Counts the learner's devices in a process that does not keep them."""
    count = subprocess.run(
        [sys.executable, "-c", "import jax; print(jax.local_device_count())"],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(count.stdout.split()[-1])


if __name__ == "__main__":
    command_line.run(
        main,
        key_flags=(flags, teacher_flags, population_flags, lab_flags),
        passed_on="lp_",
    )
