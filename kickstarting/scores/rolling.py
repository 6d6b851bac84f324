"""Statistics over the newest part of a run: returns of a task, frames per second."""

import collections
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# More frequent samples would make the memory of a window grow with the update rate.
_SECONDS_BETWEEN_SAMPLES = 0.25

# A window of frames is summed up in so many parts, however many its episodes are.
_PARTS = 100


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

    def returns(self) -> list[float]:
        """Returns the returns in the window, oldest first."""
        return list(self._returns)

    def forget(self) -> None:
        """Empties the window; `episodes` stays."""
        self._returns.clear()
        self._agent_steps.clear()

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


class FrameWindow:
    """Returns of one task's episodes in the newest environment frames of a run.

    They are summed in parts of a hundredth of the window, each of which leaves it as a
    whole. The newest part never leaves it, so that a task whose episodes are rarer than
    the window is long has the score of its last ones.
    """

    def __init__(self, size: int) -> None:
        """Starts empty.

        Args:
          size: environment frames that the window spans.
        """
        self._size = size
        # (frames at which it began, sum of returns, episodes)
        self._parts: collections.deque[tuple[int, float, int]] = collections.deque()

    def add(self, frames: int, episode_return: float) -> None:
        """Adds an episode that finished when the run had so many frames."""
        start, total, episodes = frames, 0.0, 0
        if self._parts and frames - self._parts[-1][0] < self._size / _PARTS:
            start, total, episodes = self._parts.pop()
        self._parts.append((start, total + episode_return, episodes + 1))
        self._drop(frames)

    def mean_return(self, frames: int) -> float | None:
        """Returns the mean over (frames - size, frames]; None without episodes."""
        if not self._parts:
            return None
        self._drop(frames)
        _, totals, episodes = zip(*self._parts, strict=True)
        return math.fsum(totals) / sum(episodes)

    def forget(self) -> None:
        """Empties the window."""
        self._parts.clear()

    def state(self) -> list[list[float]]:
        """Returns what `restore` takes; JSON-serialisable."""
        return [list(part) for part in self._parts]

    def restore(self, state: Iterable[Sequence[float]]) -> None:
        """Continues from `state()` of another window, of any size."""
        self._parts = collections.deque(
            (int(start), float(total), int(episodes))
            for start, total, episodes in state
        )

    def _drop(self, frames: int) -> None:
        while len(self._parts) > 1 and self._parts[0][0] <= frames - self._size:
            self._parts.popleft()


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
