"""Everything that can be wrong with a run, found before anything is spawned."""

import dataclasses
import socket
from typing import NamedTuple

import jax
import numpy as np

from kickstarting.agent.agent import Agent
from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from kickstarting.population import events as population_events
from kickstarting.reporting import run_files
from kickstarting.storage import checkpoints
from kickstarting.teaching import files as teacher_files
from kickstarting.teaching import initialisation, teachers
from kickstarting.teaching import values as teacher_values
from kickstarting.teaching.returns import TeacherReturns
from launch.flags import teacher_map
from launch.monitoring import run_folder
from launch.processes import members, private_network

# What a run may come to need: checkpoints, events, metrics, a video.
_FREE_BYTES = 200 * 2**20

# What a user's mistake raises: each has a message of one line.
UserErrors = (
    config_lib.ConfigError,
    base.EnvironmentConfigError,
    teacher_files.TeacherError,
    checkpoints.CheckpointError,
    run_files.RunFilesError,
    population_events.PopulationEventsError,
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


def check(config: config_lib.Config, num_devices: int, num_ports: int) -> Checked:
    """Checks a run against this machine.

    Args:
      config: of the run.
      num_devices: devices that the learner will use.
      num_ports: ports that the program takes from base_port on; 0: it is for other
        machines.

    Raises:
      one of UserErrors: the first thing that is wrong, in one line.
    """
    spec = _check_tasks(config)
    if config.batch_size % num_devices:
        raise config_lib.ConfigError(
            f"batch_size ({config.batch_size}) cannot be split over the {num_devices} "
            "devices of this machine: choose a multiple"
        )
    teacher_returns = _check_teachers(config, spec)
    initialisation.initial_params(config, Agent(spec, config.network))
    if config.base_port:
        _check_ports("base_port", config.base_port, num_ports)
    if config.metrics_port and num_ports:
        if private_network.is_entered():
            raise config_lib.ConfigError(
                "--metrics_port is out of reach in the run's own network: add "
                "--noprivate_network, and see docs/security.md"
            )
        _check_ports("metrics_port", config.metrics_port, config.population.size)
    if config.population.size > 1:
        _check_population(config)
    checkpoints.check_writable(config.logdir, _FREE_BYTES)
    resumed_frames = tuple(
        _check_checkpoint(member, spec) for member in members.configs(config)
    )
    return Checked(teacher_returns, resumed_frames)


def num_local_devices() -> int:
    """Returns how many devices the learner would use in this process."""
    return len(jax.local_devices())


def _check_tasks(config: config_lib.Config) -> base.EnvironmentSpec:
    for task in config.tasks:
        suites.check_installed(task, config.lab)
    specs = [
        suites.environment_spec(task, config.action_repeat, config.lab.action_set)
        for task in config.tasks
    ]
    for task, spec in zip(config.tasks, specs, strict=True):
        if spec != specs[0]:
            raise config_lib.ConfigError(
                f"{config.tasks[0]} and {task} have other observations or actions: "
                "one student needs tasks that agree"
            )
    return specs[0]


def _check_teachers(
    config: config_lib.Config, spec: base.EnvironmentSpec
) -> TeacherReturns:
    teachers.check_config(config)
    returns = TeacherReturns.unknown(len(config.tasks), config.max_teachers)
    loaded = {
        name: teachers.load(name)
        for name in dict.fromkeys(name for _, name in config.kickstarting.teachers)
    }
    for name, teacher in loaded.items():
        teachers.check_matches(name, teacher, spec)
    for task, names in enumerate(config.teachers_of_task):
        for position, name in enumerate(names):
            teacher = loaded[name]
            teacher_values.check(config, spec, config.tasks[task], name, teacher)
            if isinstance(teacher, teachers.CheckpointTeacher):
                teacher_map.check_suites(name, teacher.card.tasks, config.tasks[task])
                score = teacher.card.score_of(config.tasks[task])
                if score and config.kickstarting.trust_cards:
                    returns.mean[task, position] = score.mean_return
                    returns.standard_error[task, position] = score.standard_error
    if config.kickstarting.needs_returns and not config.kickstarting.trial_episodes:
        for task, names in enumerate(config.teachers_of_task):
            for position, name in enumerate(names):
                if np.isnan(returns.mean[task, position]):
                    raise config_lib.ConfigError(
                        "return_gap and teacher_weighting=return need the measured "
                        f"return of teacher {name!r} on {config.tasks[task]}, which no "
                        "card gives: let it play --teacher_trial_episodes"
                    )
    return returns


def _check_population(config: config_lib.Config) -> None:
    for task in config.tasks:
        if suites.reference_score(task) is None:
            raise config_lib.ConfigError(
                f"{task} has no reference score, by which members of a population are "
                "compared: see experiments.measure_random_scores"
            )
    population_events.PopulationEvents(config.logdir)


def _check_ports(flag: str, first: int, count: int) -> None:
    for port in range(first, first + count):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError as error:
                raise config_lib.ConfigError(
                    f"port {port} is taken: free it or choose another --{flag}"
                ) from error


def _check_checkpoint(config: config_lib.Config, spec: base.EnvironmentSpec) -> int:
    store = checkpoints.Checkpoints(
        run_folder.checkpoints(config.logdir), config.checkpoint.keep
    )
    metadata = store.newest_sound_metadata()
    if metadata is None:
        return 0
    if not config.checkpoint.resume:
        raise config_lib.ConfigError(
            f"{config.logdir} already holds a run: choose another --logdir, or let it "
            "resume"
        )
    checkpoints.check_metadata(
        config.logdir, metadata, run_folder.metadata(config, spec)
    )
    return int(metadata["telemetry"]["frames"])


def as_dict(config: config_lib.Config) -> dict[str, object]:
    """Returns the configuration as config.json holds it."""
    return dataclasses.asdict(config)
