"""Statistics over the newest part of a run: episodes of a task, frames per second."""

import collections
import statistics
from collections.abc import Mapping
from typing import Any

# More frequent samples would make the memory of a window grow with the update rate.
_SECONDS_BETWEEN_SAMPLES = 0.25


class EpisodeWindow:
    """The newest episodes of one task.

    Attributes:
      episodes: how many there were in all, also those that have left the window.
    """

    def __init__(self, size: int) -> None:
        """Starts empty.

        Args:
          size: episodes that the window holds.
        """
        self.episodes = 0
        self._returns: collections.deque[float] = collections.deque(maxlen=size)
        self._agent_steps: collections.deque[int] = collections.deque(maxlen=size)

    def add(self, episode_return: float, agent_steps: int) -> None:
        """Adds one finished episode."""
        self.episodes += 1
        self._returns.append(episode_return)
        self._agent_steps.append(agent_steps)

    def mean_return(self) -> float | None:
        """Returns the mean return; None without episodes."""
        return statistics.fmean(self._returns) if self._returns else None

    def mean_agent_steps(self) -> float | None:
        """Returns the mean length in agent steps; None without episodes."""
        return statistics.fmean(self._agent_steps) if self._agent_steps else None

    def state(self) -> dict[str, Any]:
        """Returns what `restore` takes; JSON-serialisable."""
        return {
            "episodes": self.episodes,
            "returns": list(self._returns),
            "agent_steps": list(self._agent_steps),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continues from `state()` of another window, of any size."""
        self.episodes = int(state["episodes"])
        self._returns = collections.deque(state["returns"], self._returns.maxlen)
        self._agent_steps = collections.deque(
            state["agent_steps"], self._agent_steps.maxlen
        )


class FrameRate:
    """Environment frames per second over windows that end now."""

    def __init__(self, now: float, frames: int, longest_window: float) -> None:
        """Starts to count.

        Args:
          now: seconds of any clock.
          frames: environment frames at that time.
          longest_window: seconds that samples are kept.
        """
        self._samples = collections.deque([(now, frames)])
        self._frames = frames
        self._longest_window = longest_window

    def record(self, now: float, frames: int) -> None:
        """Records that there were `frames` environment frames at the time `now`."""
        self._frames = frames
        if now - self._samples[-1][0] >= _SECONDS_BETWEEN_SAMPLES:
            self._samples.append((now, frames))
        # One sample from before the longest window stays: the window begins there.
        while len(self._samples) > 1 and (
            self._samples[1][0] <= now - self._longest_window
        ):
            self._samples.popleft()

    def over(self, now: float, window: float) -> float:
        """Returns frames per second in the last `window` seconds, or since the start.

        A run that has stopped to make frames is seen to slow down: time passes for it.
        """
        begin, frames = self._samples[0]
        for sample_time, sample_frames in reversed(self._samples):
            if sample_time <= now - window:
                begin, frames = sample_time, sample_frames
                break
        return (self._frames - frames) / (now - begin) if now > begin else 0.0
