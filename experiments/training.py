"""A training run as experiments declare it: known by what decides its outcome.

Two experiments that declare the same training mean one run. Its key is a digest of the
declaration: tasks, seed, frames, flags and teachers, and of each teacher either its
weights or, where it is trained here too, its own declaration. One that is published is
not the same as one with the defaults of today.
"""

import dataclasses
import hashlib
import json
import os
from typing import Any, Union

from experiments import published
from kickstarting.teaching import files as teacher_files

_KEY_DIGITS = 16


@dataclasses.dataclass(frozen=True)
class Teacher:
    """Who teaches.

    Attributes:
      source: a folder with a card, `module:factory`, or a training whose student it is.
      task: that it teaches; empty: all tasks of the run, or those on its card where
        `source` is a folder of teachers.
    """

    source: Union[str, "Training"]
    task: str = ""

    @property
    def training(self) -> Union["Training", None]:
        """The training that makes it; None where it is there already."""
        return self.source if isinstance(self.source, Training) else None

    def argument(self, results: str) -> str:
        """Returns its item of --teachers.

        Args:
          results: folder of the experiments.
        """
        training = self.training
        place = training.teacher_folder(results) if training else str(self.source)
        return f"{self.task}={place}" if self.task else place

    def identity(self) -> list[Any]:
        """Returns what decides its advice, for JSON."""
        training = self.training
        if training is not None:
            return [self.task, training.identity()]
        source = str(self.source)
        if ":" in source:
            return [self.task, source]
        return [self.task, _weights(source)]


@dataclasses.dataclass(frozen=True)
class Training:
    """One run of launch.train.

    Attributes:
      tasks: `suite:level` names.
      seed: of the run.
      total_frames: environment frames of all tasks together, of each member where it is
        a population.
      flags: further flags of launch.train that decide what is learned.
      teachers: of the run.
      evaluation_episodes: of each task, that measure the final checkpoint; 0: none.
      published: whether what its flags leave out is as published.FLAGS has it, and not
        as launch.train has it today.
    """

    tasks: tuple[str, ...]
    seed: int
    total_frames: int
    flags: tuple[str, ...] = ()
    teachers: tuple[Teacher, ...] = ()
    evaluation_episodes: int = 0
    published: bool = False

    def identity(self) -> dict[str, Any]:
        """Returns what decides the outcome, for JSON."""
        return {
            "tasks": list(self.tasks),
            "seed": self.seed,
            "total_frames": self.total_frames,
            "flags": list(self.flags),
            "teachers": [teacher.identity() for teacher in self.teachers],
            "evaluation_episodes": self.evaluation_episodes,
            # The published ones were known before there were others.
            **({} if self.published else {"published": False}),
        }

    @property
    def key(self) -> str:
        """Names the run: equal for equal declarations.

        Raises:
          teacher_files.TeacherError: the weights of a teacher cannot be read.
        """
        content = json.dumps(self.identity(), sort_keys=True).encode()
        return hashlib.sha256(content).hexdigest()[:_KEY_DIGITS]

    @property
    def name(self) -> str:
        """Its key, behind what a person looks for."""
        task = self.tasks[0].replace(":", "_").replace("/", "_")
        if len(self.tasks) > 1:
            task = f"{task.partition('_')[0]}_{len(self.tasks)}_tasks"
        how = "taught" if self.teachers else "from_scratch"
        return f"{task}_{how}_seed{self.seed}_{self.key}"

    def logdir(self, results: str) -> str:
        """Returns the run's folder below that of the experiments."""
        return os.path.join(results, "runs", self.name)

    def teacher_folder(self, results: str) -> str:
        """Returns where its student stands as a teacher."""
        return os.path.join(results, "teachers", self.name)

    def settings(self, results: str) -> tuple[str, ...]:
        """Returns the flags of launch.train that decide what is learned."""
        teachers = ",".join(teacher.argument(results) for teacher in self.teachers)
        return (
            f"--tasks={','.join(self.tasks)}",
            f"--seed={self.seed}",
            f"--total_frames={self.total_frames}",
            *((f"--teachers={teachers}",) if teachers else ()),
            # The last of two flags counts.
            *(published.FLAGS if self.published else ()),
            *self.flags,
        )

    def arguments(self, results: str) -> list[str]:
        """Returns the arguments of `python -m launch.train`."""
        return [
            f"--logdir={self.logdir(results)}",
            f"--evaluation_episodes={self.evaluation_episodes}",
            *self.settings(results),
        ]


def _weights(folder: str) -> Any:
    """Returns the digest of a teacher's weights, or those of a folder of teachers."""
    if os.path.isdir(folder) and not os.path.exists(
        os.path.join(folder, teacher_files.CARD)
    ):
        return {
            name: teacher_files.weights_sha256(os.path.join(folder, name))
            for name in sorted(os.listdir(folder))
            if os.path.isdir(os.path.join(folder, name))
        }
    return teacher_files.weights_sha256(folder)
