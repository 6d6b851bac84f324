"""Who is compared: how each is trained, and what its training leaves."""

import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from benchmarks.comparison import curves, records, timed, virtual_environments
from benchmarks.peers import training as peer_training
from kickstarting.environments.doom import doom
from kickstarting.reporting import run_files

_PINS = os.path.dirname(peer_training.__file__)
# sample-factory has no environment of the others.
_SAMPLE_FACTORY_LEVELS = {*doom.LEVELS} - {"predict_position", "take_cover"}


class Competitor(Protocol):
    """Somebody who learns."""

    @property
    def title(self) -> str:
        """Its name in the picture."""

    def plays(self, task: str) -> bool:
        """Whether it can be trained on a task."""

    def install(self, folder: str, python: str) -> str:
        """Returns the interpreter that trains it, which is made if needed.

        Args:
          folder: of the virtual environments.
          python: that makes them.

        Raises:
          config_lib.ConfigError: it cannot be made.
        """

    def command(
        self, python: str, training: records.Training, folder: str
    ) -> list[str]:
        """Returns what trains it; of an unfinished training what is useless is removed.

        Args:
          python: what `install` returned.
          training: what is trained.
          folder: takes what it leaves.
        """

    def frames(self, training: records.Training, folder: str) -> int:
        """Returns the environment frames so far."""

    def result(
        self, training: records.Training, folder: str
    ) -> tuple[curves.Curve, float | None, dict[str, Any]]:
        """Returns curve, last trained return (see records.Record) and settings."""


class Ours:
    """This project's agent, with the defaults of launch.train."""

    title = "this project"

    def plays(self, task: str) -> bool:
        """See Competitor."""
        return True

    def install(self, folder: str, python: str) -> str:
        """See Competitor."""
        return sys.executable

    def command(
        self, python: str, training: records.Training, folder: str
    ) -> list[str]:
        """See Competitor; a training that was cut short goes on."""
        return [
            *(python, "-m", "launch.train"),
            f"--tasks={training.task}",
            f"--total_frames={training.total_frames}",
            f"--seed={training.seed}",
            f"--logdir={_logdir(folder)}",
        ]

    def frames(self, training: records.Training, folder: str) -> int:
        """See Competitor."""
        try:
            newest = run_files.newest_row(_logdir(folder))
        except run_files.RunFilesError:
            return 0
        return int(newest.get(run_files.FRAMES, 0))

    def result(
        self, training: records.Training, folder: str
    ) -> tuple[curves.Curve, float | None, dict[str, Any]]:
        """See Competitor.

        Raises:
          run_files.RunFilesError: the run's files cannot be read.
        """
        logdir = _logdir(folder)
        names = [f"{name}/{training.task}" for name in ("episode_return", "episodes")]
        metrics = run_files.read_metrics(logdir, ["seconds", *names])
        returns, episodes = (metrics[name] for name in names)
        known = (episodes >= curves.WINDOW) & ~np.isnan(returns)
        seconds = metrics["seconds"] + _start_up_seconds(folder, metrics["seconds"])
        curve = curves.Curve(
            metrics[run_files.FRAMES][known], seconds[known], returns[known]
        )
        last = float(curve.returns[-1]) if known.any() else None
        path = os.path.join(logdir, run_files.CONFIG_FILE)
        with open(path, encoding="utf-8") as file:
            git = json.load(file)["git"] or {"revision": "unknown"}
        revision = git["revision"] + ("+changes" if git.get("dirty") else "")
        return curve, last, {"revision": revision, "flags": "defaults"}


@dataclasses.dataclass(frozen=True)
class Peer:
    """Somebody else's learner, in a virtual environment of its own.

    Attributes:
      title: in the picture.
      name: of the virtual environment and of the file of its pins.
      module: of benchmarks.peers, that trains it.
      can_play: of a task.
    """

    title: str
    name: str
    module: str
    can_play: Callable[[str], bool]

    def plays(self, task: str) -> bool:
        """See Competitor."""
        return self.can_play(task)

    def install(self, folder: str, python: str) -> str:
        """See Competitor."""
        pins = os.path.join(_PINS, f"{self.name}.txt")
        return virtual_environments.ensure(self.name, pins, folder, python)

    def command(
        self, python: str, training: records.Training, folder: str
    ) -> list[str]:
        """See Competitor; a training that was cut short begins again."""
        shutil.rmtree(folder, ignore_errors=True)
        told = peer_training.Training(
            task=training.task,
            seed=training.seed,
            frames=training.total_frames,
            folder=folder,
            threads=training.threads,
        )
        return [python, "-m", self.module, *told.arguments()]

    def frames(self, training: records.Training, folder: str) -> int:
        """See Competitor."""
        episodes = list(peer_training.read_episodes(folder))
        return episodes[-1].frames if episodes else 0

    def result(
        self, training: records.Training, folder: str
    ) -> tuple[curves.Curve, float | None, dict[str, Any]]:
        """See Competitor.

        Raises:
          OSError: the training's files cannot be read.
        """
        path = os.path.join(folder, peer_training.SETTINGS_FILE)
        with open(path, encoding="utf-8") as file:
            settings = json.load(file)
        episodes = peer_training.read_episodes(folder)
        return *curves.of_episodes(episodes, training.total_frames), settings


def _is_for_sb3(task: str) -> bool:
    suite, _, level = task.partition(":")
    if suite == "doom":
        return level in doom.LEVELS
    return suite == "gym" and level.startswith(("MiniGrid-", "BabyAI-"))


def _is_for_sample_factory(task: str) -> bool:
    suite, _, level = task.partition(":")
    return suite == "doom" and level in _SAMPLE_FACTORY_LEVELS


COMPETITORS: dict[str, Competitor] = {
    "ours": Ours(),
    "sb3": Peer(
        "stable-baselines3 PPO", "sb3", "benchmarks.peers.sb3_ppo", _is_for_sb3
    ),
    "sample_factory": Peer(
        "sample-factory APPO",
        "sample_factory",
        "benchmarks.peers.sample_factory_appo",
        _is_for_sample_factory,
    ),
}


def _logdir(folder: str) -> str:
    return os.path.join(folder, "run")


def _start_up_seconds(folder: str, seconds: np.ndarray) -> float:
    """Returns from the process's begin to that of the run's own clock.

    The last row was written when the file was last changed. Of a run that went on from
    a checkpoint this is not known, and 0.
    """
    outcome = timed.read(folder)
    assert outcome is not None
    path = os.path.join(_logdir(folder), run_files.METRICS_FILE)
    return max(0.0, os.stat(path).st_mtime - outcome.began - float(seconds[-1]))
