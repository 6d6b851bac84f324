"""Learning curves as they are compared: rolling returns over frames and the clock."""

import collections
import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.peers import training as peer_training

WINDOW = 100


@dataclasses.dataclass(frozen=True)
class Curve:
    """The mean return of the newest WINDOW episodes of one training.

    Attributes:
      frames: float64 [n], environment frames, not falling.
      seconds: float64 [n], of the clock, since the training's process began.
      returns: float64 [n]; there is none before WINDOW episodes have ended.
    """

    frames: np.ndarray
    seconds: np.ndarray
    returns: np.ndarray

    def thinned(self, points: int) -> "Curve":
        """Returns at most so many of its points, the first and last among them."""
        count = min(len(self.frames), points)
        kept = np.linspace(0, len(self.frames) - 1, count).round().astype(int)
        return Curve(self.frames[kept], self.seconds[kept], self.returns[kept])


def of_episodes(
    episodes: Iterable[peer_training.Episode], total_frames: int
) -> tuple[Curve, float | None]:
    """Returns a curve of single episodes.

    Args:
      episodes: by frames.
      total_frames: later ones are left out.

    Returns:
      the curve of raw returns, and the last mean of what the learner was given; None
      where the curve is empty.
    """
    window: collections.deque[peer_training.Episode] = collections.deque(maxlen=WINDOW)
    points = []
    for episode in episodes:
        if episode.frames > total_frames:
            break
        window.append(episode)
        if len(window) == WINDOW:
            mean = np.mean([each.raw_return for each in window])
            points.append((episode.frames, episode.seconds, mean))
    frames, seconds, returns = np.reshape(np.array(points, np.float64), (-1, 3)).T
    # Of episodes that end at once those of later environments count.
    last = np.append(np.diff(frames) > 0, True)[: len(frames)]
    trained = np.mean([each.trained_return for each in window]) if points else None
    curve = Curve(frames[last], np.maximum.accumulate(seconds)[last], returns[last])
    return curve, None if trained is None else float(trained)


def mean(seeds: Sequence[Curve]) -> Curve:
    """Averages returns, and seconds, of several seeds at equal frames.

    Args:
      seeds: at least one.

    Returns:
      the mean where all of them are known; it is empty where one of them is.
    """
    if not all(len(curve.frames) for curve in seeds):
        return Curve(np.zeros(0), np.zeros(0), np.zeros(0))
    frames = np.unique(np.concatenate([curve.frames for curve in seeds]))
    first = max(curve.frames[0] for curve in seeds)
    last = min(curve.frames[-1] for curve in seeds)
    frames = frames[(frames >= first) & (frames <= last)]
    at_frames = [
        [np.interp(frames, curve.frames, getattr(curve, each)) for curve in seeds]
        for each in ("seconds", "returns")
    ]
    return Curve(frames, *(np.mean(each, axis=0) for each in at_frames))


def first_at(curve: Curve, value: float) -> tuple[float, float] | None:
    """Returns frames and seconds where a curve first is at a value; None if never."""
    there = curve.returns >= value
    if not there.any():
        return None
    first = int(np.argmax(there))
    return float(curve.frames[first]), float(curve.seconds[first])


def largest_fall(curve: Curve) -> float | None:
    """Returns the largest fall after a peak, as a share of the whole way up.

    The start is no peak: the first hundred episodes are those that ended soonest.

    Returns:
      0 for a curve that never falls; None where it never rises above its start.
    """
    returns = curve.returns
    if not len(returns) or returns.max() <= returns[0]:
        return None
    peaks = np.maximum.accumulate(returns)
    falls = np.where(peaks > returns[0], peaks - returns, 0.0)
    return float(falls.max() / (returns.max() - returns[0]))
