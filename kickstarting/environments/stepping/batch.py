"""The actor's view of environments: a batch of which some are ready.

An implementation owns the memory into which observations are written, laid out as the
unrolls that the actor cuts, so that a finished unroll is a view of it: E environments,
S slots (unrolls in flight) for each, T + 1 observations in a slot.
"""

from typing import Protocol

import numpy as np

from kickstarting.environments import base

# In the place of an action: leaves the episode as it is, and opens the next one.
OPEN_EPISODE = -1


class EnvironmentBatch(Protocol):
    """Steps whichever of E environments are ready.

    The arrays of results hold, for each environment, what its latest step gave. They
    are valid from the `wait` that reports the environment until its next `step`.

    Attributes:
      spec: what all the environments share.
      num_environments: E.
      pixels: uint8 [E, S, T + 1, H, W, C].
      instruction: int32 [E, S, T + 1, L].
      available_actions: bool [E, S, T + 1, A]; which actions each observation leaves
        open.
      reward: float32 [E], raw; 0 after a reset.
      discount: float32 [E]; 0 at termination, 1 otherwise.
      first: bool [E]; whether the observation opens an episode. A terminated episode's
        next observation is the next episode's first one, in the same step; a
        truncated episode's last observation is given, and the step after it resets
        (agent/trajectory.py says why). So it is for a terminated one with
        TaskSettings.waits_at_ends, but in `xland`, where an opening takes no time.
      ended: bool [E]; whether the step ended an episode.
      episode_return: float64 [E], raw, of the episode that ended.
      episode_steps: int64 [E], agent steps of the episode that ended.
      restarted: bool [E]; the environment was lost and replaced since its last report:
        the observation opens an episode and the unroll in progress must be dropped.
    """

    spec: base.EnvironmentSpec
    num_environments: int
    pixels: np.ndarray
    instruction: np.ndarray
    available_actions: np.ndarray
    reward: np.ndarray
    discount: np.ndarray
    first: np.ndarray
    ended: np.ndarray
    episode_return: np.ndarray
    episode_steps: np.ndarray
    restarted: np.ndarray

    def start(self) -> None:
        """Begins to reset every environment; first observations go to [e, 0, 0]."""

    def wait(self, timeout: float) -> np.ndarray:
        """Returns the environments that have become ready.

        Each result is reported once.

        Args:
          timeout: seconds after which an empty array is returned.

        Returns:
          int32 [n], 0 <= n <= E, ascending.
        """

    def step(
        self,
        indices: np.ndarray,
        actions: np.ndarray,
        slots: np.ndarray,
        positions: np.ndarray,
    ) -> None:
        """Sends actions to ready environments and returns without waiting.

        Args:
          indices: int32 [n] of environments.
          actions: int32 [n]; OPEN_EPISODE has the observation open an episode, with
            reward 0, whatever became of the one before.
          slots: int32 [n]; with `positions` where the next observation goes:
            pixels[indices[i], slots[i], positions[i]], and likewise what belongs to
            it.
          positions: int32 [n].
        """

    def counters(self) -> dict[str, float]:
        """Returns running totals for the telemetry, e.g. 'worker_restarts'."""

    def close(self) -> None:
        """Ends every environment and its processes; safe to call twice."""
