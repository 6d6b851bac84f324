"""Reads what a finished run left in its folder into the record that is kept of it."""

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.running import records as run_records
from experiments.training import Training
from kickstarting.config import run as config_lib
from kickstarting.population import events as population_events
from kickstarting.reporting import run_files
from kickstarting.teaching import files as teacher_files
from launch.flags import teacher_map
from launch.reports import population as population_report
from launch.reports import progress

_SECONDS = "seconds"
# What experiments draw and count; the rest of metrics.csv stays with the run.
_PREFIXES = ("episode_return/", "kickstarting_weight/", "teacher_factor/")
_COLUMNS = (
    run_records.SCORE,
    "global_weight",
    "learning_rate",
    "entropy_cost",
    "kl_teacher_student",
    "logit_margin",
)


def record(
    training: Training, results: str, needs_curve: bool = True
) -> run_records.Record:
    """Returns the record of a finished run.

    Args:
      training: the run.
      results: folder of the experiments.
      needs_curve: whether it is to be shown, and is not a teacher alone, which may
        have been stopped before an episode of each task came to its end.

    Raises:
      config_lib.ConfigError: it needs a curve, and the run was too short for an episode
        to end.
      run_files.RunFilesError: its files cannot be read.
    """
    logdir = training.logdir(results)
    if os.path.exists(os.path.join(logdir, population_events.EVENTS_FILE)):
        best, metrics = _of_population(logdir)
    else:
        best, metrics = logdir, _metrics(logdir)
    returns = [metrics.get(f"episode_return/{task}") for task in training.tasks]
    known = ~np.isnan(np.stack([x for x in returns if x is not None] or [[np.nan]]))
    has_curve = len(known) == len(training.tasks) and known.all(axis=0).any()
    # Where the teacher acts there is none, and the final checkpoint alone is scored.
    if needs_curve and not (has_curve or training.evaluation_episodes):
        raise config_lib.ConfigError(
            f"{training.total_frames} frames are too few for an episode of each of "
            f"{', '.join(training.tasks)}: raise the frames"
        )
    frames, columns = run_records.thinned(
        {
            name: values
            for name, values in metrics.items()
            if name not in (run_files.FRAMES, _SECONDS)
        },
        metrics[run_files.FRAMES],
    )
    git = _read(logdir, run_files.CONFIG_FILE)["git"] or {"revision": "unknown"}
    final = {}
    if training.evaluation_episodes:
        tasks = _read(best, progress.SCORES_FILE)["tasks"]
        final = {each["task"]: each["mean_return"] for each in tasks}
    return run_records.Record(
        identity=training.identity(),
        settings=training.settings(results),
        git_revision=git["revision"] + ("+changes" if git.get("dirty") else ""),
        seconds=float(np.nanmax(metrics[_SECONDS])),
        frames=frames,
        columns=columns,
        final_returns=final,
        episodes=training.evaluation_episodes,
        teacher_returns=_teacher_returns(training, results),
    )


def _teacher_returns(training: Training, results: str) -> dict[str, tuple[float, ...]]:
    """Returns what the teachers' cards say; nothing of teachers without a card."""
    items = [teacher.argument(results) for teacher in training.teachers]
    returns: dict[str, tuple[float, ...]] = {}
    for task, teacher in teacher_map.resolve(training.tasks, items) if items else ():
        if ":" in teacher:
            continue
        score = teacher_files.read_card(teacher).score_of(task)
        if score is not None:
            returns[task] = (*returns.get(task, ()), score.mean_return)
    return returns


def _of_population(logdir: str) -> tuple[str, Mapping[str, np.ndarray]]:
    """Returns the best member's folder, and the metrics along its lineage.

    As IMPALA's curves do (Espeholt et al. 2018, appendix F): where a member copied
    another one, what came before is that one's.
    """
    members = sorted(
        (
            os.path.join(logdir, name)
            for name in os.listdir(logdir)
            if name.startswith("member_")
        ),
        key=lambda folder: int(folder.rpartition("_")[2]),
    )
    best = int(np.argmax([population_report.training_score(one) for one in members]))
    metrics = [_metrics(member) for member in members]
    names = sorted(set.intersection(*(set(each) for each in metrics)))
    events = population_events.PopulationEvents(logdir).events
    pieces = [
        _piece(metrics[each.member], names, each)
        for each in population_events.stretches(events, best)
    ]
    whole = {
        name: np.concatenate([piece[name] for piece in reversed(pieces)])
        for name in names
    }
    return members[best], whole


def _piece(
    metrics: Mapping[str, np.ndarray],
    names: list[str],
    stretch: population_events.Stretch,
) -> dict[str, np.ndarray]:
    frames = metrics[run_files.FRAMES]
    kept = (frames > stretch.after) & (frames <= stretch.until)
    return {name: metrics[name][kept] for name in names}


def _metrics(logdir: str) -> dict[str, np.ndarray]:
    return run_files.read_metrics(logdir, [*_PREFIXES, *_COLUMNS, _SECONDS])


def _read(folder: str, name: str) -> dict[str, Any]:
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)
