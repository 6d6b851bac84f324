"""From the trainings that an experiment wants to the steps that are missing."""

import os
import sys
from collections.abc import Sequence

from experiments.running import collection, runner
from experiments.running import records as run_records
from experiments.training import Training
from kickstarting.reporting import run_files
from kickstarting.teaching import files as teacher_files

# Of each task: they measure a teacher for its card.
_TEACHER_EPISODES = 20


def steps(
    trainings: Sequence[Training], results: str, records_folder: str
) -> list[runner.Step]:
    """Returns what is to be run for records of all trainings, each step once.

    A training that has a record is not run. One that is another one's teacher is run
    before it, unless its student stands as a teacher already.

    Args:
      trainings: that are wanted; one may be there several times.
      results: folder of the experiments.
      records_folder: of the records.

    Raises:
      config_lib.ConfigError: what stands in a record's place is none.
      teacher_files.TeacherError: a teacher that must be there is not.
    """
    planned: dict[str, runner.Step] = {}
    for training in trainings:
        if run_records.load(run_records.path(records_folder, training.key)) is None:
            _add_training(training, results, records_folder, planned)
    return list(planned.values())


def _add_training(
    training: Training,
    results: str,
    records_folder: str,
    planned: dict[str, runner.Step],
    is_shown: bool = True,
) -> str:
    name = f"training {training.name}"
    if name in planned:
        return name
    exports = [
        _add_export(teacher.training, results, records_folder, planned)
        for teacher in training.teachers
        if teacher.training is not None
    ]
    logdir = training.logdir(results)
    command = [sys.executable, "-m", "launch.train", *training.arguments(results)]
    planned[name] = runner.Step(
        name=name,
        command=[*command, "--noshow"],
        log=f"{logdir}.log",
        frames=training.total_frames,
        needs=tuple(export for export in exports if export),
        done_frames=lambda: _done_frames(logdir),
        finish=lambda: run_records.save(
            run_records.path(records_folder, training.key),
            collection.record(training, results, needs_curve=is_shown),
        ),
    )
    return name


def _add_export(
    training: Training,
    results: str,
    records_folder: str,
    planned: dict[str, runner.Step],
) -> str:
    """Returns the step that makes a training's student a teacher, '' if it is one."""
    folder = training.teacher_folder(results)
    if os.path.exists(os.path.join(folder, teacher_files.CARD)):
        return ""
    name = f"export {training.name}"
    if name not in planned:
        trained = _add_training(
            training, results, records_folder, planned, is_shown=False
        )
        planned[name] = runner.Step(
            name=name,
            command=[
                *(sys.executable, "-m", "launch.export_teacher"),
                f"--checkpoint={training.logdir(results)}",
                f"--out={folder}",
                f"--episodes={_TEACHER_EPISODES}",
            ],
            log=f"{folder}.log",
            needs=(trained,),
        )
    return name


def _done_frames(logdir: str) -> int:
    """Returns the frames of the last row that a run has written, else 0."""
    members = [logdir]
    if os.path.isdir(os.path.join(logdir, "member_0")):
        members = [
            os.path.join(logdir, name)
            for name in os.listdir(logdir)
            if name.startswith("member_")
        ]
    return min(map(_last_frames, members))


def _last_frames(logdir: str) -> int:
    """Returns the frames of the newest whole row."""
    try:
        return int(run_files.newest_row(logdir).get(run_files.FRAMES, 0))
    except run_files.RunFilesError:
        return 0
