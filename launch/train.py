"""Trains a student, kickstarted by teachers where some are named.

  python -m launch.train --tasks=doom:defend_the_center \
      --teachers=teachers/doom/defend_the_center --total_frames=1000000

Stops by itself at --total_frames. Ctrl-C or SIGTERM: a last checkpoint, then the end;
the same command goes on from there. Everything is written to --logdir.
"""

import os

# Before TensorFlow and Reverb load: they would fill the terminal with their own logs.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("GLOG_minloglevel", "2")

import signal
import subprocess
import sys
import threading

import jax
from absl import flags as absl_flags
from absl import logging

from kickstarting import config as config_lib
from kickstarting import run_files
from launch import command_line, flags, log_tail, preflight, report, run_folder

_LOCAL_MT, _LOCAL_MP = "local_mt", "local_mp"


def main(argv: list[str]) -> int:
    """Checks, launches, waits, reports.

    Args:
      argv: what is left of the command line: Launchpad's own flags.

    Returns:
      0 when total_frames were reached, 128 + signal when stopped before, 1 when a node
      failed.
    """
    config = flags.config_from_flags()
    launch_type = flags.LAUNCH_TYPE.value
    if launch_type == _LOCAL_MP:
        # The accelerators belong to the learner's process, not to this one.
        num_devices = _count_devices_elsewhere()
        jax.config.update("jax_platforms", "cpu")
    else:
        num_devices = preflight.num_local_devices()
    checked = preflight.check(config, num_devices, flags.num_ports(config))
    if checked.resumed_frames >= config.total_frames:
        print(
            f"{config.logdir} has reached {checked.resumed_frames:,} frames already: "
            "nothing to train. Raise --total_frames to go on."
        )
        return 0
    run_files.RunFiles(config.logdir).write_config(
        {**preflight.as_dict(config), "lp_launch_type": launch_type}
    )
    failure = _launch(config, checked, launch_type, argv)
    if failure is not None:
        logging.error("A node failed: %r", failure)
        return 1
    frames = report.newest_frames(config)
    if frames >= config.total_frames:
        report.finish(config)
        return 0
    print(f"Stopped at {frames:,} frames. The same command goes on from there.")
    return 128 + (_Signals.received or signal.SIGTERM)


class _Signals:
    """Remembers which signal ended the run; Launchpad acts on it."""

    received: int | None = None

    @classmethod
    def remember(cls, number: int, frame: object) -> None:
        del frame
        cls.received = cls.received or number


def _launch(
    config: config_lib.Config,
    checked: preflight.Checked,
    launch_type: str,
    argv: list[str],
) -> BaseException | None:
    """Runs the program to its end; returns what made a node fail."""
    log_dir = os.path.abspath(run_folder.logs(config.logdir))
    os.environ["LAUNCHPAD_LOGGING_DIR"] = log_dir
    # Here, and not above: Launchpad reads the variable when it is imported, and loads
    # TensorFlow, which takes seconds; mistakes are told before.
    import launchpad as lp

    from launch import program as program_lib

    absl_flags.FLAGS([sys.argv[0], f"--lp_launch_type={launch_type}", *argv[1:]])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _Signals.remember)
    program = program_lib.make_program(
        config, checked.teacher_returns, checked.resumed_frames
    )
    if launch_type == _LOCAL_MT:
        manager = lp.launch(program, launch_type=launch_type)
    else:
        resources = program_lib.process_resources(program, config)
        manager = lp.launch(
            program,
            launch_type=launch_type,
            terminal="output_to_files",
            local_resources=resources,
        )
        if flags.LOGS.value == "terminal":
            threading.Thread(
                target=log_tail.follow, args=(log_dir,), name="logs", daemon=True
            ).start()
    try:
        manager.wait()
    except BaseException as failure:  # noqa: BLE001 - told by the caller
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
    command_line.run(main, key_flags=(flags,), passed_on="lp_")
