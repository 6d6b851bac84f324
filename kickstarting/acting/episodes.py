"""Whole episodes as an evaluation counts them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Episode(NamedTuple):
    """One episode that has been played.

    Attributes:
      environment: index of the one that played it.
      episode_return: raw.
      agent_steps: of it.
      cut: whether it was still going on at the most agent steps that one may take.
    """

    environment: int
    episode_return: float
    agent_steps: int
    cut: bool


class Episodes(NamedTuple):
    """Raw returns float64 [n], agent steps int64 [n], and bool [n] of which were cut.

    They are in the order of the environments that played them.
    """

    returns: np.ndarray
    agent_steps: np.ndarray
    cut: np.ndarray


def in_order(episodes: Sequence[Episode]) -> Episodes:
    """Returns episodes, of which each environment's are in order, as arrays."""
    # Not as they ended, which differs from time to time.
    ordered = sorted(episodes, key=lambda episode: episode.environment)
    return Episodes(
        np.array([each.episode_return for each in ordered], np.float64),
        np.array([each.agent_steps for each in ordered], np.int64),
        np.array([each.cut for each in ordered], np.bool_),
    )


def shares(num_episodes: int, num_environments: int) -> np.ndarray:
    """Deals episodes to environments, int64 [min(both)]: short ones crowd out none."""
    count = min(num_environments, num_episodes)
    share = np.full(count, num_episodes // count)
    share[: num_episodes % count] += 1
    return share


def within_shares(episodes: Sequence[Episode], share: np.ndarray) -> list[Episode]:
    """Returns the first episodes of each environment, as many as are its share.

    Args:
      episodes: of which each environment's are in order.
      share: int64 [n], of the environments from 0 on; others have none.
    """
    left = dict(enumerate(share.tolist()))
    kept = []
    for episode in episodes:
        if left.get(episode.environment, 0) > 0:
            left[episode.environment] -= 1
            kept.append(episode)
    return kept
