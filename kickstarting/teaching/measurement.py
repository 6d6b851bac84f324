"""Lets teachers play before training, where λ depends on how well they do.

What was measured is kept in the run's folder, so that a resumed run goes on with it.
"""

import json
import os
from collections.abc import Callable

import numpy as np

from kickstarting.config import run as config_lib
from kickstarting.teaching import files as teacher_files
from kickstarting.teaching import teachers
from kickstarting.teaching import trials as teacher_trials
from kickstarting.teaching.returns import TeacherReturns

RETURNS_FILE = "teacher_returns.json"
# Apart from the seeds of training's own episodes.
_SEED = 7_001


# Told the number of finished episodes.
Progress = Callable[[int], None]


def _unwatched(name: str, level: str) -> Progress:
    return lambda finished: None


def complete(
    config: config_lib.Config,
    returns: TeacherReturns,
    watch: Callable[[str, str], Progress] = _unwatched,
) -> TeacherReturns:
    """Returns the teachers' returns with those measured that λ needs and no card gives.

    Args:
      config: of the run; its logdir is made.
      returns: those of the teachers' cards.
      watch: told which teacher begins to play which level; gives what is told how far
        it is.

    Raises:
      base.EnvironmentConfigError: a task cannot be made.
    """
    if not config.kickstarting.needs_returns:
        return returns
    returns = TeacherReturns(returns.mean.copy(), returns.standard_error.copy())
    known = _load(config.logdir)
    wanted = [
        (task, position, name)
        for task, names in enumerate(config.teachers_of_task)
        for position, name in enumerate(names)
        if np.isnan(returns.mean[task, position])
    ]
    num_episodes = config.kickstarting.trial_episodes
    for task, position, name in wanted:
        level = config.tasks[task]
        key = f"{level} {_identity(name)} {num_episodes}"
        if key not in known:
            told = watch(name, level)
            summary = teacher_trials.measure(
                teachers.load(name),
                level,
                num_episodes=num_episodes,
                seed=_SEED + config.seed,
                action_repeat=config.action_repeat,
                lab=config.lab,
                watch=lambda finished, _, told=told: told(finished),
            )
            assert summary is not None
            known[key] = (summary.mean, summary.standard_error)
            _save(config.logdir, known)
        returns.mean[task, position] = known[key][0]
        returns.standard_error[task, position] = known[key][1]
    return returns


def _identity(name: str) -> str:
    """Returns what tells a teacher from another one of its name."""
    if os.path.isdir(name):
        return f"{name} {teacher_files.weights_sha256(name)}"
    return name


def _load(logdir: str) -> dict[str, tuple[float, float]]:
    try:
        with open(os.path.join(logdir, RETURNS_FILE), encoding="utf-8") as file:
            return {
                str(key): (float(mean), float(standard_error))
                for key, (mean, standard_error) in json.load(file).items()
            }
    except (OSError, ValueError, TypeError, AttributeError):
        # They can be measured again.
        return {}


def _save(logdir: str, returns: dict[str, tuple[float, float]]) -> None:
    os.makedirs(logdir, exist_ok=True)
    path = os.path.join(logdir, RETURNS_FILE)
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(returns, file, indent=1)
        file.write("\n")
    os.replace(temporary, path)
