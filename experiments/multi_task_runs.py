"""Runs of one student on several tasks, and what is kept of them.

As experiments/runs.py for one task: a finished run leaves a record, and what has one is
not trained again.
"""

import dataclasses
import json
import os

import numpy as np

from experiments import records as records_lib
from experiments import runs
from kickstarting import config as config_lib
from kickstarting import learning_curves, run_files, scores, teacher_files
from kickstarting.environments import suites
from launch import report


@dataclasses.dataclass(frozen=True)
class Record:
    """One finished run.

    Attributes:
      settings: the flags of launch.train that decide what it learned.
      teachers_sha256: of its teachers' weights, in their order.
      git_revision: of the code that trained it, '+changes' where files differed.
      seconds: wall-clock time of training.
      final_returns: mean raw return of the final checkpoint's evaluation, by task.
      episodes: evaluated of each task.
      frames: environment frames of the training curves, rising.
      returns: by task, rolling mean raw returns of training at those frames.
    """

    settings: tuple[str, ...]
    teachers_sha256: tuple[str, ...]
    git_revision: str
    seconds: float
    final_returns: dict[str, float]
    episodes: int
    frames: tuple[float, ...]
    returns: dict[str, tuple[float, ...]]


@dataclasses.dataclass(frozen=True)
class MultiTaskRun:
    """One training run.

    Attributes:
      condition: names it.
      label: of its curve.
      tasks: `suite:level` names, each with a reference score.
      seed: of the run.
      total_frames: environment frames of all tasks together.
      flags: further flags of launch.train that decide what is learned.
      teachers: folders whose weights it learns from.
      results: folder of the experiment.
      records: folder of the records; empty: that of the results.
      evaluation_episodes: of each task, that measure the final scores.
    """

    condition: str
    label: str
    tasks: tuple[str, ...]
    seed: int
    total_frames: int
    flags: tuple[str, ...]
    teachers: tuple[str, ...]
    results: str
    records: str = ""
    evaluation_episodes: int = 30

    @property
    def logdir(self) -> str:
        """The run's folder."""
        return os.path.join(self.results, f"{self.condition}_seed{self.seed}")

    @property
    def record_path(self) -> str:
        """The file of the run's record."""
        name = f"{self.condition}_seed{self.seed}.json"
        return os.path.join(self.records or self.results, name)

    def settings(self) -> tuple[str, ...]:
        """Returns the flags of launch.train that decide what is learned."""
        return (
            f"--tasks={','.join(self.tasks)}",
            f"--seed={self.seed}",
            f"--total_frames={self.total_frames}",
            *self.flags,
        )

    def command(self) -> list[str]:
        """Returns the arguments of `python -m launch.train`."""
        return [
            f"--logdir={self.logdir}",
            f"--evaluation_episodes={self.evaluation_episodes}",
            *self.settings(),
        ]

    def is_finished(self) -> bool:
        """Whether the run was trained and evaluated to its end, here or elsewhere."""
        if self._kept_record() is not None:
            return True
        return report.evaluated_frames(self.logdir) >= self.total_frames

    def train(self) -> int:
        """Trains what is missing; returns the exit status, as runs.train."""
        return 0 if self.is_finished() else runs.train(self.command())

    def record(self) -> Record:
        """Returns the record of the finished run, and keeps it where it is not kept.

        Raises:
          config_lib.ConfigError: the run was too short for an episode of each task.
        """
        kept = self._kept_record()
        if kept is not None:
            return kept
        metrics = run_files.read_metrics(self.logdir)
        columns = {task: metrics[f"episode_return/{task}"] for task in self.tasks}
        known = ~np.isnan(np.stack(list(columns.values()))).any(axis=0)
        if not known.any():
            raise config_lib.ConfigError(
                f"{self.total_frames} frames are too few for an episode of each of "
                f"{', '.join(self.tasks)}: raise --frames"
            )
        frames = metrics[run_files.FRAMES][known]
        thinned = {
            task: records_lib.thinned(frames, column[known])
            for task, column in columns.items()
        }
        final = self._read(report.SCORES_FILE)["tasks"]
        git = self._read(run_files.CONFIG_FILE)["git"] or {"revision": "unknown"}
        record = Record(
            settings=self.settings(),
            teachers_sha256=self._teachers_sha256(),
            git_revision=git["revision"] + ("+changes" if git.get("dirty") else ""),
            seconds=float(metrics["seconds"][-1]),
            final_returns={each["task"]: each["mean_return"] for each in final},
            episodes=self.evaluation_episodes,
            frames=thinned[self.tasks[0]][0],
            returns={task: returns for task, (_, returns) in thinned.items()},
        )
        records_lib.save(self.record_path, record)
        return record

    def curve(self) -> learning_curves.Curve:
        """Returns the mean capped normalised score of training over frames."""
        record = self.record()
        values = np.mean(
            [
                capped_scores(task, np.array(record.returns[task]))
                for task in self.tasks
            ],
            axis=0,
        )
        return learning_curves.Curve(
            self.label, np.array(record.frames), values, self.seed
        )

    def final_scores(self) -> dict[str, float]:
        """Returns the capped normalised score of the final checkpoint by task."""
        return {
            task: float(capped_scores(task, np.array(final)))
            for task, final in self.record().final_returns.items()
        }

    def _kept_record(self) -> Record | None:
        """Returns the record that is kept, if it is of this run as it is set now."""
        try:
            with open(self.record_path, encoding="utf-8") as file:
                fields = json.load(file)
            for name in ("settings", "teachers_sha256", "frames"):
                fields[name] = tuple(fields[name])
            record = Record(**fields)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise config_lib.ConfigError(
                f"{self.record_path} is no record of a run ({error!r}): remove it to "
                "train again"
            ) from error
        is_same = (
            record.settings == self.settings()
            and record.teachers_sha256 == self._teachers_sha256()
        )
        return record if is_same else None

    def _teachers_sha256(self) -> tuple[str, ...]:
        return tuple(map(teacher_files.weights_sha256, self.teachers))

    def _read(self, name: str) -> dict:
        with open(os.path.join(self.logdir, name), encoding="utf-8") as file:
            return json.load(file)


def capped_scores(task: str, returns: np.ndarray) -> np.ndarray:
    """Returns capped normalised scores, float [...], of raw mean returns [...].

    Raises:
      config_lib.ConfigError: nothing normalises the task.
    """
    reference = suites.reference_score(task)
    if reference is None:
        raise config_lib.ConfigError(
            f"{task} has no reference score: choose tasks that have one"
        )
    return np.minimum(scores.normalised_score(returns, reference), scores.CAP)
