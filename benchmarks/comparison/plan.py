"""What is compared, and the steps that train what has no record yet."""

import dataclasses
import functools
import os
import sys
from collections.abc import Iterable, Mapping

from benchmarks.comparison import marks, records, timed
from benchmarks.comparison.competitors import COMPETITORS
from experiments.running import runner
from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites

MAX_SEEDS = 100


@dataclasses.dataclass(frozen=True)
class Config:
    """A comparison.

    Attributes:
      tasks: `suite:level` names.
      peers: names of competitors.
      seeds: trainings of each competitor on each task, seeded with 1, 2, ...
      total_frames: environment frames of each; None: as many as the last mark of its
        task.
      minutes: after which a training is ended.
      threads: of the linear algebra of each.
      at_once: trainings side by side.
      results: folder of what trainings leave.
      records: folder of the records of those that have ended.
      environments: folder of the peers' virtual environments.
      peer_python: interpreter that makes them.
    """

    tasks: tuple[str, ...]
    peers: tuple[str, ...] = tuple(COMPETITORS)
    seeds: int = 3
    total_frames: int | None = None
    minutes: float = 240.0
    threads: int = 1
    at_once: int = 1
    results: str = "runs/sample_efficiency"
    records: str = "docs/records/sample_efficiency"
    environments: str = "runs/peers"
    peer_python: str = "python3.11"

    def __post_init__(self) -> None:
        """Checks.

        Raises:
          config_lib.ConfigError: a field is out of its range.
          base.EnvironmentConfigError: there is no such task.
        """
        if not self.tasks or not self.peers:
            raise config_lib.ConfigError("--tasks and --peers must name something")
        for peer in self.peers:
            if peer not in COMPETITORS:
                near = base.nearest_name(peer, tuple(COMPETITORS))
                raise config_lib.ConfigError(
                    f"there is no peer {peer!r}{near}: --peers are "
                    f"{', '.join(COMPETITORS)}"
                )
        for name in ("seeds", "threads", "at_once"):
            if not 1 <= getattr(self, name) <= MAX_SEEDS:
                raise config_lib.ConfigError(
                    f"--{name} must be from 1 to {MAX_SEEDS}: {getattr(self, name)}"
                )
        if not 0 < self.minutes < float("inf"):
            raise config_lib.ConfigError(f"--minutes must be above 0: {self.minutes}")
        if self.total_frames is not None and self.total_frames < 1:
            raise config_lib.ConfigError(
                f"--total_frames must be above 0: {self.total_frames}"
            )
        for task in self.tasks:
            suites.environment_spec(task, base.ACTION_REPEAT)
            if self.total_frames is None and task not in marks.MARKS:
                raise config_lib.ConfigError(
                    f"{task} has no marks, so --total_frames is needed"
                )


def trainings(config: Config) -> list[records.Training]:
    """Returns what is compared, seed by seed: the first figures come early.

    Raises:
      config_lib.ConfigError: nobody plays any of the tasks.
    """
    found = [
        records.Training(
            task=task,
            peer=peer,
            seed=seed,
            total_frames=config.total_frames or marks.MARKS[task][-1].frames,
            threads=config.threads,
        )
        for task in config.tasks
        for seed in range(1, config.seeds + 1)
        for peer in config.peers
        if COMPETITORS[peer].plays(task)
    ]
    if not found:
        raise config_lib.ConfigError(
            f"{', '.join(config.peers)} cannot be trained on {', '.join(config.tasks)}"
        )
    return found


def left_out(config: Config) -> list[str]:
    """Returns a line for each competitor and task that it cannot be trained on."""
    return [
        f"Left out: {COMPETITORS[peer].title} cannot be trained on {task}"
        for task in config.tasks
        for peer in config.peers
        if not COMPETITORS[peer].plays(task)
    ]


def is_done(config: Config, training: records.Training) -> bool:
    """Whether a training has a record, and was not ended by a limit that was lower."""
    record = records.load(config.records, training)
    return record is not None and not (
        record.limit_reached and record.minutes < config.minutes
    )


def steps(config: Config, missing: Iterable[records.Training]) -> list[runner.Step]:
    """Returns the steps that train what is missing; makes what they need first.

    Raises:
      config_lib.ConfigError: a virtual environment cannot be made.
    """
    missing = list(missing)
    pythons = {
        peer: COMPETITORS[peer].install(config.environments, config.peer_python)
        for peer in dict.fromkeys(training.peer for training in missing)
    }
    return [_step(config, training, pythons) for training in missing]


def _step(
    config: Config, training: records.Training, pythons: Mapping[str, str]
) -> runner.Step:
    competitor = COMPETITORS[training.peer]
    folder = os.path.join(config.results, training.name)
    finish = functools.partial(_keep, config, training, folder)
    if _has_ended(config, folder):
        # It was stopped between its end and its record.
        command = [sys.executable, "-c", ""]
    else:
        inner = competitor.command(pythons[training.peer], training, folder)
        command = timed.command(folder, config.minutes, inner)
    return runner.Step(
        name=training.name,
        command=command,
        log=os.path.join(folder, "log.txt"),
        frames=training.total_frames,
        done_frames=functools.partial(competitor.frames, training, folder),
        finish=finish,
    )


def _has_ended(config: Config, folder: str) -> bool:
    outcome = timed.read(folder)
    return outcome is not None and not (
        outcome.limit_reached and outcome.minutes < config.minutes
    )


def _keep(config: Config, training: records.Training, folder: str) -> None:
    outcome = timed.read(folder)
    assert outcome is not None
    curve, trained_return, settings = COMPETITORS[training.peer].result(
        training, folder
    )
    records.save(
        config.records,
        records.Record(
            training=training,
            settings=settings,
            cores=len(os.sched_getaffinity(0)),
            at_once=config.at_once,
            minutes=outcome.minutes,
            limit_reached=outcome.limit_reached,
            seconds=outcome.seconds,
            cpu_seconds=outcome.cpu_seconds,
            curve=records.thinned(curve),
            trained_return=trained_return,
        ),
    )
