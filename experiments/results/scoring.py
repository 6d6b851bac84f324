"""Scores of finished runs: curves, and what is told of them at shares of the budget."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.running import records as run_records
from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.scores import normalised as scores

# Of the budget so far, over whose last part a score is the mean.
_LAST_SHARE = 0.1
# Of the budget, before and after the frame at which advice ends.
_ADVICE_SHARE = 0.2


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


def has_curve(record: run_records.Record) -> bool:
    """Whether episodes of every task have ended that the student acted in training."""
    return all(
        np.isfinite(record.column(f"episode_return/{task}")).any()
        for task in tasks(record)
    )


def is_recent(record: run_records.Record) -> bool:
    """Whether its training scores are of the episodes within a tenth of the frames.

    They are where a run of one task tells them. Others are of the newest hundred
    episodes, which look far back where episodes are long.
    """
    return len(tasks(record)) == 1 and run_records.SCORE in record.columns


def curve(record: run_records.Record) -> tuple[np.ndarray, np.ndarray]:
    """Returns frames and mean capped score of training, float [points].

    It begins where the first episode has ended. A task then counts 0, the score of the
    random policy, until one of its own has.
    """
    values = np.mean([_task_curve(record, task) for task in tasks(record)], axis=0)
    known = _is_known(record)
    return np.array(record.frames)[known], values[known]


def teacher_frames(record: run_records.Record) -> int:
    """Returns the environment frames that trained a run's teachers, and theirs."""
    trainings: dict[str, int] = {}
    _add_teachers(record.identity, trainings)
    return sum(trainings.values())


def _add_teachers(identity: Mapping[str, Any], trainings: dict[str, int]) -> None:
    """Adds the frames of each teacher once, however many tasks it teaches."""
    for _, source in identity["teachers"]:
        # Others were not trained here: their frames are not known.
        if isinstance(source, dict) and "total_frames" in source:
            trainings[json.dumps(source, sort_keys=True)] = source["total_frames"]
            _add_teachers(source, trainings)


def at_share(record: run_records.Record, share: float) -> dict[str, float]:
    """Returns each task's training score at a share of the budget.

    It is the mean of the curve over the last tenth of the budget that far, and of the
    point before where none lies in it; NaN where no episode had ended yet.

    Args:
      record: of the run.
      share: of its total frames, in (0, 1].
    """
    end = share * record.identity["total_frames"]
    frames = np.array(record.frames)
    # The last update may lie a little beyond the budget.
    until = len(frames) if share == 1 else np.searchsorted(frames, end, "right")
    start = np.searchsorted(frames[:until], (1 - _LAST_SHARE) * end)
    window = slice(max(min(start, until - 1), 0), max(until, 1))
    known = _is_known(record)[window]
    if not known.any():
        return dict.fromkeys(tasks(record), np.nan)
    return {
        task: float(_task_curve(record, task)[window][known].mean())
        for task in tasks(record)
    }


def final(record: run_records.Record) -> dict[str, float]:
    """Returns each task's capped score of the final checkpoint; empty without one."""
    return {
        task: float(capped_scores(task, np.array(value)))
        for task, value in record.final_returns.items()
    }


def last_returns(record: run_records.Record) -> dict[str, float]:
    """Returns each task's raw return at the end: evaluated, or else of training."""
    if record.final_returns:
        return dict(record.final_returns)
    frames = np.array(record.frames)
    late = frames >= (1 - _LAST_SHARE) * frames[-1]
    return {
        task: float(np.nanmean(record.column(f"episode_return/{task}")[late]))
        for task in tasks(record)
    }


def frames_to_reach(
    record: run_records.Record, level: float, charge_teachers: bool = False
) -> float:
    """Returns the frames after which the mean score first is at a level, else inf.

    Args:
      record: of the run.
      level: the score.
      charge_teachers: whether the frames of the run's teachers count.
    """
    frames, values = curve(record)
    reached = np.flatnonzero(values >= level)
    before = teacher_frames(record) if charge_teachers else 0
    return float(frames[reached[0]]) + before if len(reached) else float("inf")


def around_end_of_advice(
    record: run_records.Record, share: float
) -> tuple[float, float]:
    """Returns the mean training score just before advice ends, and just after it.

    Args:
      record: of the run.
      share: of its total frames, after which λ is 0.

    Returns:
      The means over the fifth of the budget before, and over that after; NaN where no
      episode had ended.
    """
    frames, values = curve(record)
    of_budget = frames / record.identity["total_frames"]
    before = (of_budget > share - _ADVICE_SHARE) & (of_budget <= share)
    after = (of_budget > share) & (of_budget <= share + _ADVICE_SHARE)
    return _mean(values[before]), _mean(values[after])


def tasks(record: run_records.Record) -> tuple[str, ...]:
    """Returns the run's tasks."""
    return tuple(record.identity["tasks"])


def _is_known(record: run_records.Record) -> np.ndarray:
    """Returns bool [points]: whether an episode of any task had ended."""
    if is_recent(record):
        return np.isfinite(record.column(run_records.SCORE))
    returns = [record.column(f"episode_return/{task}") for task in tasks(record)]
    return np.isfinite(returns).any(axis=0)


def _task_curve(record: run_records.Record, task: str) -> np.ndarray:
    if is_recent(record):
        return record.column(run_records.SCORE)
    returns = record.column(f"episode_return/{task}")
    return np.where(np.isnan(returns), 0.0, capped_scores(task, returns))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan
