"""Everything that can be wrong with a run, found before anything is spawned."""

import dataclasses
from typing import NamedTuple

from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from kickstarting.population import events as population_events
from kickstarting.reporting import run_files
from kickstarting.ring import checks, machine, resumption
from kickstarting.storage import checkpoints, folder_lock
from kickstarting.teaching import files as teacher_files
from kickstarting.teaching.returns import TeacherReturns
from launch.processes import members, ports, private_network

# What a user's mistake raises: each has a message of one line.
UserErrors = (
    config_lib.ConfigError,
    base.EnvironmentConfigError,
    teacher_files.TeacherError,
    checkpoints.CheckpointError,
    run_files.RunFilesError,
    population_events.PopulationEventsError,
    folder_lock.FolderInUseError,
)


class Checked(NamedTuple):
    """What the checks found out.

    Attributes:
      teacher_returns: those of the teachers' cards.
      resumed_frames: of each member of the population, or of the one ring: of the
        checkpoint that it goes on from, else 0.
    """

    teacher_returns: TeacherReturns
    resumed_frames: tuple[int, ...]


def check(
    config: config_lib.Config,
    num_devices: int,
    num_ports: int,
    makes_folder: bool = True,
) -> Checked:
    """Checks a run against this machine.

    Args:
      config: of the run.
      num_devices: devices that the learner will use.
      num_ports: ports that the program takes from base_port on; 0: it is for other
        machines.
      makes_folder: whether the run's folder is made and tried.

    Raises:
      one of UserErrors: the first thing that is wrong, in one line.
    """
    if num_ports:
        machine.check(config)
    spec = checks.check_tasks(config)
    checks.check_devices(config, num_devices)
    teacher_returns = checks.check_teachers(config, spec)
    checks.check_student(config, spec)
    if config.base_port:
        ports.check("base_port", config.base_port, num_ports)
    if config.metrics_port and num_ports:
        if private_network.is_entered():
            raise config_lib.ConfigError(
                "--metrics_port is out of reach in the run's own network: add "
                "--noprivate_network, and see docs/security.md"
            )
        ports.check("metrics_port", config.metrics_port, config.population.size)
    if config.population.size > 1:
        _check_population(config)
    if makes_folder:
        checks.check_folder(config)
    resumed_frames = tuple(
        resumption.resumed_frames(member, spec) for member in members.configs(config)
    )
    checks.tell_unused(spec)
    return Checked(teacher_returns, resumed_frames)


def _check_population(config: config_lib.Config) -> None:
    for task in config.tasks:
        if suites.reference_score(task) is None:
            raise config_lib.ConfigError(
                f"{task} has no reference score, by which members of a population are "
                "compared: see experiments.measure_random_scores"
            )
    population_events.PopulationEvents(config.logdir)


def as_dict(config: config_lib.Config) -> dict[str, object]:
    """Returns the configuration as config.json holds it."""
    return dataclasses.asdict(config)
