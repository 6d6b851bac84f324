"""Mean, median and interquartile mean of scores over tasks, with bootstrap intervals.

The intervals are of the stratified bootstrap of Agarwal et al. 2021 (arXiv:2108.13264):
what was measured on a task is resampled within that task, with replacement, so that
every task keeps its number of samples. The tasks themselves are never resampled: an
interval tells how an aggregate would differ were these tasks played anew.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from kickstarting.environments import base
from kickstarting.scores import normalised as scores

CONFIDENCE = 0.95
_RESAMPLES = 2000
# Resamples made at once: bounds the memory at some 100 times that of the samples.
_RESAMPLES_AT_ONCE = 100
_TRIMMED = 0.25


@dataclasses.dataclass(frozen=True)
class Estimate:
    """An aggregate and its interval of CONFIDENCE.

    Attributes:
      value: of what was measured.
      low: at most `value`; NaN where a task has but one sample.
      high: at least `value`; NaN where a task has but one sample.
    """

    value: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class Aggregates:
    """Capped normalised scores over tasks.

    Attributes:
      mean: over tasks.
      median: over tasks.
      iqm: the interquartile mean: a quarter of the scores, rounded down, is left out
        at either end. Of less than four scores it is the mean.
    """

    mean: Estimate
    median: Estimate
    iqm: Estimate


def of_episodes(
    returns_by_task: Mapping[str, Sequence[float]],
    references: Mapping[str, base.ReferenceScore],
    *,
    seed: int,
) -> Aggregates:
    """Aggregates what one policy reached in episodes of several tasks.

    What is resampled are the raw returns of a task's episodes. Of each resample the
    mean return is normalised, then capped, then aggregated over tasks: the cap is one
    of a task's mean (Espeholt et al. 2018, section 5.3), not of an episode.

    Args:
      returns_by_task: raw returns of each task's episodes; tasks may differ in their
        number.
      references: of at least these tasks.
      seed: seeds the resampling.

    Raises:
      scores.ScoreError: there is no task, one without a reference or without episodes,
        or a return that is not finite.
    """
    samples = _checked(returns_by_task, "return")
    missing = sorted(returns_by_task.keys() - references.keys())
    if missing:
        raise scores.ScoreError(
            f"no reference score normalises {', '.join(missing)}: leave these tasks out"
        )

    def statistic(*returns: np.ndarray, axis: int) -> np.ndarray:
        task_scores = np.stack(
            [
                np.minimum(
                    scores.normalised_score(values.mean(axis), references[task]),
                    scores.CAP,
                )
                for task, values in zip(returns_by_task, returns, strict=True)
            ]
        )
        return _over_tasks(task_scores, task_scores)

    return Aggregates(*_estimates(samples, statistic, seed))


def of_runs(scores_by_task: Mapping[str, Sequence[float]], *, seed: int) -> Aggregates:
    """Aggregates what several runs, e.g. seeds, reached on the same tasks.

    What is resampled are the runs within each task. Mean and median are over the tasks'
    means over runs; the interquartile mean is over the scores of all runs and tasks
    (Agarwal et al. 2021).

    Args:
      scores_by_task: for each task the capped normalised score of every run; tasks may
        differ in their number.
      seed: seeds the resampling.

    Raises:
      scores.ScoreError: there is no task, one without runs, or a score that is not
        finite.
    """
    samples = _checked(scores_by_task, "score")

    def statistic(*runs: np.ndarray, axis: int) -> np.ndarray:
        means = np.stack([values.mean(axis) for values in runs])
        everything = np.moveaxis(np.concatenate(runs, axis), axis, 0)
        return _over_tasks(means, everything)

    return Aggregates(*_estimates(samples, statistic, seed))


def probability_of_improvement(
    scores_by_task: Mapping[str, Sequence[float]],
    baseline_by_task: Mapping[str, Sequence[float]],
    *,
    seed: int,
) -> Estimate:
    """Returns how probably a run beats one of the baseline, mean over tasks.

    For each task it is the share of pairs of runs in which the first has the higher
    score, half a pair for a tie (Agarwal et al. 2021, section 4.3). The interval
    resamples the runs of either side within each task.

    Args:
      scores_by_task: for each task the score of every run.
      baseline_by_task: of the same tasks.
      seed: seeds the resampling.

    Raises:
      scores.ScoreError: as of_runs, or the tasks differ.
    """
    if scores_by_task.keys() != baseline_by_task.keys():
        raise scores.ScoreError("runs of the same tasks are needed for a comparison")
    samples = [
        *_checked(scores_by_task, "score"),
        *_checked({task: baseline_by_task[task] for task in scores_by_task}, "score"),
    ]

    def statistic(*runs: np.ndarray, axis: int) -> np.ndarray:
        half = len(runs) // 2
        of_tasks = []
        for ours, theirs in zip(runs[:half], runs[half:], strict=True):
            difference = (
                np.moveaxis(ours, axis, -1)[..., :, None]
                - np.moveaxis(theirs, axis, -1)[..., None, :]
            )
            of_tasks.append((0.5 + 0.5 * np.sign(difference)).mean(axis=(-2, -1)))
        return np.mean(of_tasks, axis=0)[None]

    return _estimates(samples, statistic, seed)[0]


def _checked(
    values_by_task: Mapping[str, Sequence[float]], kind: str
) -> list[np.ndarray]:
    if not values_by_task:
        raise scores.ScoreError("an aggregate needs at least one task")
    samples = [np.asarray(values, np.float64) for values in values_by_task.values()]
    for task, values in zip(values_by_task, samples, strict=True):
        if not values.size or not np.isfinite(values).all():
            raise scores.ScoreError(
                f"{task} needs at least one {kind}, and finite ones, to be aggregated"
            )
    return samples


def _over_tasks(task_scores: np.ndarray, all_scores: np.ndarray) -> np.ndarray:
    """Returns mean and median of the first, and IQM of the second, over axis 0."""
    from scipy import stats

    return np.stack(
        [
            task_scores.mean(axis=0),
            np.median(task_scores, axis=0),
            stats.trim_mean(all_scores, _TRIMMED, axis=0),
        ]
    )


def _estimates(
    samples: Sequence[np.ndarray], statistic: Callable[..., np.ndarray], seed: int
) -> list[Estimate]:
    """Returns an estimate of each of a statistic's values."""
    # Slow to import, and most who import this module aggregate nothing.
    from scipy import stats

    values = statistic(*samples, axis=-1)
    low, high = np.full_like(values, np.nan), np.full_like(values, np.nan)
    # From one sample nothing can be learnt about the spread.
    if min(map(len, samples)) > 1:
        interval = stats.bootstrap(
            samples,
            statistic,
            n_resamples=_RESAMPLES,
            batch=_RESAMPLES_AT_ONCE,
            confidence_level=CONFIDENCE,
            method="percentile",
            vectorized=True,
            rng=np.random.default_rng(seed),
        ).confidence_interval
        # The cap bends the resamples down: of many tasks just at the cap, all may lie
        # below what was measured.
        low, high = np.minimum(interval.low, values), np.maximum(interval.high, values)
    return [
        Estimate(float(value), float(lowest), float(highest))
        for value, lowest, highest in zip(values, low, high, strict=True)
    ]
