r"""Trains a student, kickstarted by teachers where some are named.

  python -m launch.train --tasks=doom:defend_the_center \
      --teachers=teachers/doom/defend_the_center --total_frames=1000000

Stops by itself at --total_frames. Ctrl-C, SIGTERM or the end of the terminal: a last
checkpoint, then the end; the same command goes on from there. Everything is written
to --logdir, where one run at a time may be.

Only --tasks matters at first. Levels are e.g. doom:my_way_home,
gym:MiniGrid-DoorKey-6x6-v0, xland:MiniGrid-FourRooms.
Flags that begin with --lp_ go to Launchpad.
"""

import os
import signal
import sys

from launch.computing import scratch
from launch.flags import options as options_lib
from launch.monitoring import standard_streams
from launch.processes import private_network

if __name__ == "__main__":
    standard_streams.make_safe()
    scratch.check()
    # Until all is loaded: Python's own handler is lost in callbacks of JAX.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Before anything starts a thread.
    private_network.enter_if_wanted(options_lib.wants_private_network(sys.argv))

# Before TensorFlow and Reverb load: they would fill the terminal with their own logs.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("GLOG_minloglevel", "2")

import jax
from absl import logging
from rich import console as rich_console

from kickstarting.config import run as config_lib
from kickstarting.reporting import run_files
from kickstarting.storage import folder_lock
from launch.clusters import cluster, hosts, local, placement
from launch.computing import devices
from launch.flags import command_line, preflight, teacher_map, teacher_measurement
from launch.flags import run as run_flags
from launch.monitoring import run_folder
from launch.processes import members, stop_signals
from launch.reports import progress


def main(argv: list[str]) -> int:
    """Checks, launches, waits, reports.

    Args:
      argv: what is left of the command line: Launchpad's own flags.

    Returns:
      0 when total_frames were reached and evaluated, 128 + signal when stopped before,
      1 when a node failed, or a task could not be evaluated.
    """
    config, notes = run_flags.chosen_from_flags()
    options = run_flags.options_from_flags(config)
    launch_type = options.lp_launch_type
    placed = placement.placed(config, options)
    if placed is not None:
        config = placed.config
        # Those of this machine do not count.
        kinds: tuple[str, ...] = ()
    elif launch_type == local.LOCAL_MP:
        # The accelerators belong to the learner's process, not to this one.
        kinds = devices.elsewhere()
        jax.config.update("jax_platforms", "cpu")
    else:
        kinds = devices.local()
    num_ports = 0 if placed else run_flags.num_ports(config)
    checked = preflight.check(
        config, len(kinds) or 1, num_ports, makes_folder=not options.dry_run
    )
    resumed_frames = min(checked.resumed_frames)
    if resumed_frames >= config.total_frames:
        print(
            f"{config.logdir} has reached {resumed_frames:,} frames already: "
            "nothing to train. Raise --total_frames to go on."
        )
        # It may have been stopped between its last checkpoint and its scores.
        if not _is_evaluated(config, resumed_frames):
            return _finish(config)
        return 0
    notes = (*notes, *run_flags.resuming_notes(config, resumed_frames))
    if not options.dry_run:
        returns = teacher_measurement.complete(config, checked.teacher_returns)
        checked = checked._replace(teacher_returns=returns)
    if config.kickstarting.teachers:
        rich_console.Console().print(teacher_map.table(config, checked.teacher_returns))
    if placed and options.dry_run:
        cluster.show(placed, checked)
        return 0
    for note in (*notes, *([f"Devices: {devices.text(kinds)}"] if kinds else ())):
        print(note)
    if private_network.exposed:
        print(private_network.exposed, file=sys.stderr)
    _enter_folder(config)
    files = run_files.RunFiles(config.logdir)
    files.write_config(
        {**preflight.as_dict(config), "lp_launch_type": launch_type}, devices=kinds
    )
    files.close()
    if placed and cluster.submitted(placed, checked):
        return 0
    shows_logs = options.logs == "terminal"
    if placed:
        failure = hosts.launch(placed, checked, shows_logs)
    else:
        failure = local.launch(config, checked, launch_type, argv, shows_logs)
    if failure is not None:
        logging.error(
            "A node failed (%r); logs are in %s",
            failure,
            run_folder.logs(config.logdir),
        )
        return 1
    frames = min(map(progress.newest_frames, members.configs(config)))
    if frames >= config.total_frames:
        return _finish(config)
    print(f"Stopped at {frames:,} frames. The same command goes on from there.")
    return 128 + (stop_signals.received() or signal.SIGTERM)


def _enter_folder(config: config_lib.Config) -> None:
    """Keeps others out of the run's folder for as long as this process lives.

    Raises:
      folder_lock.FolderInUseError: another run is in it.
    """
    folder_lock.hold(config.logdir, folder_lock.PROGRAM)
    for member in members.configs(config):
        # The learner of a launcher that was killed still writes its last checkpoint.
        folder_lock.hold(
            member.logdir, folder_lock.LEARNER, stop_signals.SECONDS_TO_STOP
        )
        folder_lock.release(member.logdir, folder_lock.LEARNER)


def _is_evaluated(config: config_lib.Config, frames: int) -> bool:
    if not config.evaluation_episodes:
        return True
    return any(
        progress.evaluated_frames(member.logdir) >= frames
        for member in members.configs(config)
    )


def _finish(config: config_lib.Config) -> int:
    """Leaves what a person gets at the end; of a population that of its best member.

    Returns:
      the exit status; see report.finish.
    """
    # Here, and not above: what draws takes as long to load as much of the rest.
    from launch.reports import population as population_report
    from launch.reports import report

    if config.population.size > 1:
        config = population_report.finish(config)
    return report.finish(config)


if __name__ == "__main__":
    command_line.run(main, passed_on="lp_")
