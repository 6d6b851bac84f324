"""Lets teachers play before training, where λ depends on how well they do.

What was measured is kept in the run's folder, so that a resumed run goes on with it.
"""

import contextlib
import functools
import json
import os
from collections.abc import Callable
from typing import Protocol

import numpy as np

from kickstarting.acting import evaluator, kept_episodes
from kickstarting.config import run as config_lib
from kickstarting.scores import normalised as scores
from kickstarting.teaching import files as teacher_files
from kickstarting.teaching import teachers
from kickstarting.teaching import trials as teacher_trials
from kickstarting.teaching.returns import TeacherReturns

RETURNS_FILE = "teacher_returns.json"
# Apart from the seeds of training's own episodes.
_SEED = 7_001


class TrialsStoppedError(Exception):
    """Trials were told to stop before their end; the message is one line."""


class Shown(Protocol):
    """Shows how far trials are; see episode_progress.EpisodeProgress.

    Attributes:
      say: prints a line.
    """

    say: Callable[[str], None]

    def begin(
        self, what: str, number: int, count: int, num_episodes: int
    ) -> Callable[[int, int], None]:
        """Begins with a trial."""
        ...

    def end(self, outcome: str) -> None:
        """Ends the trial."""
        ...


def complete(
    config: config_lib.Config,
    returns: TeacherReturns,
    shown: Shown,
    should_stop: Callable[[], bool] = lambda: False,
) -> TeacherReturns:
    """Returns the teachers' returns with those measured that λ needs and no card gives.

    Each episode is kept as it ends: called again it goes on with what is missing.

    Args:
      config: of the run; its logdir is made.
      returns: those of the teachers' cards.
      shown: shows how far they are.
      should_stop: asked often; True gives up.

    Raises:
      base.EnvironmentConfigError: a task cannot be made, or not be played.
      teacher_files.TeacherError: a teacher failed.
      TrialsStoppedError: it gave up.
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
    played = {
        (name, level): f"{level} {_identity(name)}"
        for name, level in [(name, config.tasks[task]) for task, _, name in wanted]
    }
    num_episodes = config.kickstarting.trial_episodes
    keys = {trial: f"{what} {num_episodes}" for trial, what in played.items()}
    unknown = [trial for trial, key in keys.items() if key not in known]
    if unknown:
        with contextlib.closing(_kept(config, shown.say)) as kept:
            for number, (name, level) in enumerate(unknown, start=1):
                watch = shown.begin(
                    f"{name} plays {level}",
                    number,
                    len(unknown),
                    num_episodes,
                )
                what = played[name, level]
                summary = _measured(
                    config, name, level, what, kept, watch, shown.say, should_stop
                )
                shown.end(f"mean return {summary.mean:.6g}")
                known[keys[name, level]] = (summary.mean, summary.standard_error)
                _save(config.logdir, known)
            kept.remove()
    for task, position, name in wanted:
        mean, standard_error = known[keys[name, config.tasks[task]]]
        returns.mean[task, position] = mean
        returns.standard_error[task, position] = standard_error
    return returns


def _kept(
    config: config_lib.Config, say: Callable[[str], None]
) -> kept_episodes.KeptEpisodes:
    return kept_episodes.KeptEpisodes(
        os.path.join(config.logdir, f"teacher_trials{kept_episodes.SUFFIX}"),
        {
            "seed": _SEED + config.seed,
            "action_repeat": config.action_repeat,
            "max_agent_steps": evaluator.MAX_AGENT_STEPS,
        },
        say,
    )


def _measured(
    config: config_lib.Config,
    name: str,
    level: str,
    what: str,
    kept: kept_episodes.KeptEpisodes,
    watch: evaluator.Watch,
    say: Callable[[str], None],
    should_stop: Callable[[], bool],
) -> scores.Summary:
    teacher = teachers.load(name)
    try:
        summary = teacher_trials.measure(
            teacher,
            level,
            num_episodes=config.kickstarting.trial_episodes,
            seed=_SEED + config.seed,
            action_repeat=config.action_repeat,
            lab=config.lab,
            deadline_seconds=config.environment_deadline_seconds,
            earlier=kept.of(what),
            keep=functools.partial(kept.keep, what),
            should_stop=should_stop,
            watch=watch,
            say=say,
        )
    except teacher_files.TeacherError as error:
        raise teacher_files.TeacherError(
            f"teacher {name!r} {error} when it played {level}: mend it, or choose "
            "another one"
        ) from error
    if summary is None:
        played = [each.episode_return for each in kept.of(what)]
        mean = f", mean return {np.mean(played):.6g}" if played else ""
        goes_on = ". The same command goes on from there." if kept.is_kept else "."
        raise TrialsStoppedError(
            f"Interrupted: {name} has played {len(played)} of "
            f"{config.kickstarting.trial_episodes} episodes of {level}{mean}{goes_on}"
        )
    return summary


def _identity(name: str) -> str:
    """Returns what tells a teacher from another one of its name."""
    if teacher_files.located(name).is_dir():
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
