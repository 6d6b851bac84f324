"""Scores: returns made comparable over tasks, and their summaries."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from kickstarting.environments import base

CAP = 100.0


class ScoreError(ValueError):
    """Returns or references that make no score; its message is one line."""


@dataclasses.dataclass(frozen=True)
class Summary:
    """Statistics of the raw returns of some episodes.

    Attributes:
      mean: of the returns.
      standard_error: of the mean, from the sample's standard deviation; NaN for one
        episode.
      episodes: how many there were.
    """

    mean: float
    standard_error: float
    episodes: int


def normalised_score(task_return: float, reference: base.ReferenceScore) -> float:
    """Returns 100·(G − random) / (reference − random).

    The human-normalised score of DMLab-30 (Espeholt et al. 2018, section 5.3), with
    whatever agent the reference names in the human's place.

    Args:
      task_return: mean raw return G of the task; of an array of such, an array.
      reference: the returns that count as 0 and as 100.

    Raises:
      ScoreError: the references do not differ.
    """
    span = reference.reference - reference.random
    if not math.isfinite(span) or span == 0:
        raise ScoreError(
            f"a reference of {reference.reference} and a random return of "
            f"{reference.random} cannot normalise a score: give two that differ"
        )
    return 100.0 * (task_return - reference.random) / span


def capped(score: float) -> float:
    """Returns min(100, score); a score below 0 stays as it is."""
    # In this order a NaN stays NaN, and is not made a perfect score.
    return min(score, CAP)


def summarise(returns: Sequence[float]) -> Summary:
    """Summarises the raw returns of some episodes.

    Args:
      returns: at least one.

    Raises:
      ScoreError: there is none.
    """
    values = np.asarray(returns, np.float64)
    if values.size == 0:
        raise ScoreError("there is no episode to summarise: run at least one")
    error = math.nan
    if values.size > 1:
        error = float(values.std(ddof=1) / math.sqrt(values.size))
    return Summary(float(values.mean()), error, values.size)
