"""What a person gets at the end of a run: table, curves, video, the next command."""

import os
import pathlib
import shlex
import sys
from collections.abc import Mapping, Sequence

import numpy as np
from absl import logging
from rich import console as rich_console

from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.reporting import learning_curves, run_files, unanswered
from kickstarting.teaching import teachers
from launch.reports import evaluation, policies, progress, recording_process

_MEAN_SCORE = "mean_capped_score"
_RETURN_NOTE = "of the newest 100 episodes in training"
_SCORE_NOTE = "of the episodes in training within --score_window_frames"


_PROJECT = str(pathlib.Path(__file__).resolve().parents[2])


def finish(config: config_lib.Config) -> int:
    """Evaluates the final checkpoint and leaves scores, curves and a video.

    Args:
      config: of the finished run. With evaluation_episodes 0 only curves are drawn.

    Returns:
      0; 1 where a task could not be evaluated; 128 and the signal's number where the
      evaluation was interrupted.
    """
    console = rich_console.Console()
    logdir = config.logdir
    # Once: of a long run with many tasks it is a large file.
    metrics = run_files.read_metrics(logdir, ["episode_return/", _MEAN_SCORE])
    paths = [
        path for task in config.tasks for path in _draw_curves(config, task, metrics)
    ]
    if len(config.tasks) > 1:
        paths += _draw_mean_score(config, metrics)
    status = 0
    if config.evaluation_episodes:
        policy = policies.load(logdir)
        scores_path = os.path.join(logdir, progress.SCORES_FILE)
        found = evaluation.evaluate(
            policy,
            config.tasks,
            num_episodes=config.evaluation_episodes,
            seed=config.seed + 1000,
            greedy=False,
            leaves=scores_path,
            lab=config.lab,
            deadline_seconds=config.environment_deadline_seconds,
        )
        status = found.status
        over_tasks = evaluation.aggregate(found.results, config.seed)
        evaluation.write_json(
            scores_path,
            found.results,
            over_tasks,
            environment_frames=policy.frames,
            seed=config.seed + 1000,
            greedy=False,
            **found.about(),
        )
        title = f"{logdir} at {policy.frames:,} frames, sampled"
        console.print(
            evaluation.table(found.results, title, over_tasks, found.failures)
        )
        if missing := found.what_is_missing():
            print(missing, file=sys.stderr)
        if found.missing:
            return status
        if config.tasks[0] not in found.failures:
            path = os.path.join(logdir, "episode.mp4")
            if failure := recording_process.record(config, path):
                logging.error("No video: %s", failure)
            else:
                paths.append(path)
    for path in paths:
        console.print(f"Wrote {path}", highlight=False)
    advice = unanswered.of_teachers(run_files.newest_row(logdir))
    if missing := unanswered.in_words(advice):
        console.print(f"In this run {missing}.", highlight=False, soft_wrap=True)
    console.print(_next(config, advice), highlight=False, soft_wrap=True)
    return status


def _next(config: config_lib.Config, advice: Sequence[unanswered.Advice]) -> str:
    """Returns what to do with the student: one that nobody taught is no teacher yet."""
    if unanswered.never_taught(advice):
        return (
            "Next: its teachers did not teach it. Mend them, or choose other ones, and "
            "train again with another --logdir."
        )
    return "Next: ./kickstart --help, or export it as a teacher:\n  " + export_command(
        config
    )


def export_command(config: config_lib.Config) -> str:
    """Returns the command that makes a run's student a teacher, and replaces none."""
    name = config.tasks[0].replace(":", "/") if len(config.tasks) == 1 else "mine"
    out = f"teachers/{name}"
    number = 2
    while os.path.exists(out):
        out = f"teachers/{name}_{number}"
        number += 1
    checkpoint, before = config.logdir, ""
    if os.getcwd() != _PROJECT:
        # The program's modules and its Python are found there.
        before = f"cd {shlex.quote(_PROJECT)} && "
        checkpoint, out = os.path.abspath(checkpoint), os.path.abspath(out)
    arguments = [f"--checkpoint={checkpoint}", f"--out={out}"]
    return f"{before}.venv/bin/python -m launch.export_teacher {shlex.join(arguments)}"


def _draw_curves(
    config: config_lib.Config, task: str, metrics: Mapping[str, np.ndarray]
) -> list[str]:
    """Draws the curve of a task; returns its file, or none without ended episodes."""
    curve = _curve(config, f"episode_return/{task}", metrics)
    if curve is None:
        return []
    name = task.replace(":", "_").replace("/", "_")
    path = os.path.join(config.logdir, f"learning_curve_{name}.png")
    reference = suites.reference_score(task)
    teacher_return = None
    for teacher_of_task, teacher in config.kickstarting.teachers:
        if teacher_of_task == task:
            loaded = teachers.load(teacher)
            if isinstance(loaded, teachers.CheckpointTeacher):
                score = loaded.card.score_of(task)
                teacher_return = score.mean_return if score else None
    learning_curves.learning_curves(
        [curve],
        path,
        task,
        teacher_return=teacher_return,
        random_return=reference.random if reference else None,
        note=_RETURN_NOTE,
    )
    return [path]


def _draw_mean_score(
    config: config_lib.Config, metrics: Mapping[str, np.ndarray]
) -> list[str]:
    """Draws the training score over tasks; returns its file, or none without one."""
    curve = _curve(config, _MEAN_SCORE, metrics)
    if curve is None:
        return []
    path = os.path.join(config.logdir, f"{_MEAN_SCORE}.png")
    scored = [task for task in config.tasks if suites.reference_score(task)]
    title = f"training score over {len(scored)} tasks"
    learning_curves.learning_curves(
        [curve], path, title, quantity="mean capped normalised score", note=_SCORE_NOTE
    )
    return [path]


def _curve(
    config: config_lib.Config, column: str, metrics: Mapping[str, np.ndarray]
) -> learning_curves.Curve | None:
    """Returns the known part of a column over frames; None where there is none."""
    if column not in metrics:
        return None
    values = metrics[column]
    known = ~np.isnan(values)
    if not known.any():
        return None
    return learning_curves.Curve(
        _label(config), metrics[run_files.FRAMES][known], values[known], config.seed
    )


def _label(config: config_lib.Config) -> str:
    if not config.kickstarting.teachers:
        return "from scratch"
    return config.kickstarting.use.replace("_", " ")
