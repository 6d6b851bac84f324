"""Training runs as an experiment needs them: named, cached, resumable.

A run lives in a folder named after its condition and seed. A finished one is not
trained again, and leaves a record, with which it counts as finished on another machine
too; a broken one goes on from its newest checkpoint.
"""

import dataclasses
import json
import os
import signal
import subprocess
import sys

import numpy as np

from experiments import records as records_lib
from kickstarting import config as config_lib
from kickstarting import learning_curves, run_files, teacher_cards, teacher_files
from launch import report

# Each condition in flags of launch.train; {teacher} and {weaned} are filled in.
CONDITIONS: dict[str, tuple[str, ...]] = {
    "from_scratch": (),
    "kickstarted": (
        "--teachers={teacher}",
        "--kickstarting_schedule=linear",
        "--kickstarting_end_frames={weaned}",
    ),
    "constant": ("--teachers={teacher}", "--kickstarting_schedule=constant"),
    "return_gap": ("--teachers={teacher}", "--kickstarting_schedule=return_gap"),
    "distillation": (
        "--teachers={teacher}",
        "--kickstarting_schedule=constant",
        "--noreinforcement",
    ),
}
LABELS = {
    "from_scratch": "from scratch",
    "kickstarted": "kickstarted (linear λ)",
    "constant": "constant λ",
    "return_gap": "λ by the return gap",
    "distillation": "distillation only",
}


@dataclasses.dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
      task: `suite:level`.
      condition: a key of CONDITIONS.
      seed: of the run.
      total_frames: environment frames.
      teacher: folder of the teacher, or module:factory; unused from scratch.
      weaned_share: share of total_frames after which the linear λ is 0.
      evaluation_episodes: that measure the final score.
      results: folder of the experiment.
      records: folder of the records; empty: that of the results.
      flags: further flags of launch.train.
    """

    task: str
    condition: str
    seed: int
    total_frames: int
    teacher: str
    results: str
    records: str = ""
    weaned_share: float = 0.5
    evaluation_episodes: int = 30
    flags: tuple[str, ...] = ()

    @property
    def logdir(self) -> str:
        """The run's folder."""
        return os.path.join(self.results, self._name)

    @property
    def record_path(self) -> str:
        """The file of the run's record."""
        return os.path.join(self.records or self.results, f"{self._name}.json")

    @property
    def _name(self) -> str:
        task = self.task.replace(":", "_").replace("/", "_")
        return os.path.join(task, f"{self.condition}_seed{self.seed}")

    def settings(self) -> tuple[str, ...]:
        """Returns the flags of launch.train that decide what is learned."""
        weaned = int(self.total_frames * self.weaned_share)
        return (
            f"--tasks={self.task}",
            f"--seed={self.seed}",
            f"--total_frames={self.total_frames}",
            *(
                flag.format(teacher=self.teacher, weaned=weaned)
                for flag in CONDITIONS[self.condition]
            ),
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

    def record(self) -> records_lib.Record:
        """Returns the record of the finished run, and keeps it where it is not kept.

        Raises:
          config_lib.ConfigError: the run was too short for an episode to end.
        """
        kept = self._kept_record()
        if kept is not None:
            return kept
        curve = report.training_curve(
            self.logdir, self.task, LABELS[self.condition], self.seed
        )
        if curve is None:
            raise config_lib.ConfigError(
                f"no episode has ended in {self.total_frames} frames of {self.task}: "
                "raise --frames"
            )
        score = self._read(report.SCORES_FILE)["tasks"][0]
        git = self._read(run_files.CONFIG_FILE)["git"] or {"revision": "unknown"}
        frames, returns = records_lib.thinned(curve.frames, curve.returns)
        record = records_lib.Record(
            settings=self.settings(),
            teacher_sha256=self._teacher_sha256(),
            git_revision=git["revision"] + ("+changes" if git.get("dirty") else ""),
            seconds=float(run_files.read_metrics(self.logdir)["seconds"][-1]),
            final_return=score["mean_return"],
            standard_error=score["standard_error"],
            episodes=score["episodes"],
            frames=frames,
            returns=returns,
        )
        records_lib.save(self.record_path, record)
        return record

    def _kept_record(self) -> records_lib.Record | None:
        """Returns the record that is kept, if it is of this run as it is set now."""
        record = records_lib.load(self.record_path)
        if record is None or record.settings != self.settings():
            return None
        return record if record.teacher_sha256 == self._teacher_sha256() else None

    def _teacher_sha256(self) -> str:
        uses_teacher = any("{teacher}" in flag for flag in CONDITIONS[self.condition])
        if not uses_teacher or ":" in self.teacher:
            return ""
        return teacher_files.weights_sha256(self.teacher)

    def _read(self, name: str) -> dict:
        with open(os.path.join(self.logdir, name), encoding="utf-8") as file:
            return json.load(file)

    def train(self) -> int:
        """Trains what is missing, shown on this terminal.

        Returns:
          the exit status; see `train`.
        """
        return 0 if self.is_finished() else train(self.command())

    def curve(self) -> learning_curves.Curve:
        """Returns the training curve: rolling mean return over environment frames.

        Raises:
          config_lib.ConfigError: the run was too short for an episode to end.
        """
        record = self.record()
        return learning_curves.Curve(
            LABELS[self.condition],
            np.array(record.frames),
            np.array(record.returns),
            self.seed,
        )


def train(arguments: list[str]) -> int:
    """Runs launch.train, shown on this terminal.

    Ctrl-C and SIGTERM end the run with a last checkpoint, and then this returns.

    Args:
      arguments: of `python -m launch.train`.

    Returns:
      the exit status, as a shell tells it: 128 + N for signal N.
    """
    process = subprocess.Popen([sys.executable, "-m", "launch.train", *arguments])
    # The terminal sends Ctrl-C to the run as well, but SIGTERM comes here alone.
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: process.terminate()),
    }
    try:
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - status if status < 0 else status


def teacher_score(folder: str, task: str) -> teacher_cards.TaskScore:
    """Returns how good a teacher is at a task.

    Raises:
      config_lib.ConfigError: it was not trained on the task.
      teacher_files.TeacherError: it is not sound.
    """
    _, card = teacher_files.load_teacher(folder)
    score = card.score_of(task)
    if score is None:
        raise config_lib.ConfigError(
            f"{folder} was trained on {', '.join(card.tasks)}: choose a teacher of "
            f"{task}"
        )
    return score


def frames_to_reach(curve: learning_curves.Curve, level: float) -> float:
    """Returns the environment frames at which a curve first reaches a return.

    Args:
      curve: frames and returns, float [n].
      level: the return.

    Returns:
      the frames, or infinity where it never does.
    """
    reached = np.flatnonzero(np.asarray(curve.returns) >= level)
    return float(curve.frames[reached[0]]) if len(reached) else float("inf")


def frames_text(frames: float) -> str:
    """Returns what `frames_to_reach` found, for a table."""
    return f"{frames:,.0f}" if np.isfinite(frames) else "not reached"
