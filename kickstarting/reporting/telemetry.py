"""What is known of a run while it goes on: returns, speed, waits, learner metrics.

Everyone reports here, and whoever shows or stores the run asks for one flat `row`.
There are no files and no drawing in this module.
"""

import collections
import math
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kickstarting.environments import base
from kickstarting.scores import normalised as scores
from kickstarting.scores import rolling

# Windows of the frame rate, in seconds; the longest one predicts the time left.
RATE_WINDOWS = (10, 60, 300)


class Telemetry:
    """Collects what the parts of a run report; any thread may call any method.

    Attributes:
      tasks: the run's tasks, `suite:level`.
      total_frames: environment frames that the run is to train on.
      score_window_frames: newest environment frames whose episodes the scores over
        tasks are of.
    """

    def __init__(
        self,
        tasks: Sequence[str],
        references: Sequence[base.ReferenceScore | None],
        total_frames: int,
        rolling_episodes: int = 100,
        clock: Callable[[], float] = time.monotonic,
        score_window_frames: int = 30_000_000,
        sources_go_on: bool = False,
    ) -> None:
        """Starts the run's clock.

        Args:
          tasks: the run's tasks, `suite:level`.
          references: for each task what normalises its returns, or None.
          total_frames: environment frames that the run is to train on.
          rolling_episodes: newest episodes of each task that its mean return is over.
          clock: returns seconds.
          score_window_frames: newest environment frames whose episodes the scores over
            tasks are of.
          sources_go_on: whether the parts that report had begun before, with another
            telemetry: what each reports first is then known already.

        Raises:
          ValueError: an argument is out of its range, or a reference equals its random
            score.
        """
        if len(tasks) != len(references):
            raise ValueError(
                f"{len(tasks)} tasks need as many references, not {len(references)}"
            )
        if min(total_frames, rolling_episodes, score_window_frames) <= 0:
            raise ValueError(
                "total_frames, rolling_episodes and score_window_frames must be above "
                f"0, not {total_frames}, {rolling_episodes} and {score_window_frames}"
            )
        for task, reference in zip(tasks, references, strict=True):
            if reference is not None and reference.reference == reference.random:
                raise ValueError(
                    f"the reference score of {task} equals its random score "
                    f"({reference.random}): nothing can be normalised by it"
                )
        self.tasks = tuple(tasks)
        self.total_frames = total_frames
        self.score_window_frames = score_window_frames
        self._references = {
            task: reference
            for task, reference in zip(tasks, references, strict=True)
            if reference is not None
        }
        self._clock = clock
        self._lock = threading.Lock()
        self._windows = [rolling.EpisodeWindow(rolling_episodes) for _ in tasks]
        self._score_windows = {
            task: rolling.FrameWindow(score_window_frames) for task in self._references
        }
        self._frames = 0
        self._updates = 0
        self._updates_before = 0
        self._copies = 0
        self._metrics: dict[str, float] = {}
        self._totals: dict[str, float] = collections.defaultdict(float)
        self._counters: dict[str, dict[str, float]] = {}
        self._gauges: dict[str, dict[str, float]] = {}
        self._reported_at: dict[str, float] = {}
        self._sources_go_on = sources_go_on
        self._seconds_before = 0.0
        self._start = clock()
        self._rate = rolling.FrameRate(self._start, 0, RATE_WINDOWS[-1])

    def add_episodes(
        self,
        task_indices: Sequence[int],
        returns: Sequence[float],
        agent_steps: Sequence[int],
    ) -> None:
        """Adds finished training episodes.

        Args:
          task_indices: int [n], each episode's index into the run's tasks.
          returns: float [n], undiscounted raw returns.
          agent_steps: int [n], lengths in agent steps.

        Raises:
          ValueError: the lengths differ, or a task index is out of range.
        """
        if not len(task_indices) == len(returns) == len(agent_steps):
            raise ValueError(
                f"{len(task_indices)} task indices, {len(returns)} returns and "
                f"{len(agent_steps)} agent_steps do not describe the same episodes"
            )
        for task_index in task_indices:
            if not 0 <= task_index < len(self.tasks):
                raise ValueError(
                    f"task index {task_index} is out of range: the run has "
                    f"{len(self.tasks)} tasks"
                )
        with self._lock:
            for task_index, episode_return, steps in zip(
                task_indices, returns, agent_steps, strict=True
            ):
                self._windows[task_index].add(float(episode_return), int(steps))
                score_window = self._score_windows.get(self.tasks[task_index])
                if score_window is not None:
                    score_window.add(self._frames, float(episode_return))

    def report(
        self, source: str, *, counters: Mapping[str, float], gauges: Mapping[str, float]
    ) -> None:
        """Replaces what one part of the run last reported, in Prometheus' two kinds.

        Args:
          source: the reporting part, e.g. 'actor/0', 'teacher/0', 'queue/0'.
          counters: its running totals, which are summed over the parts. One that falls
            has started again from 0 with its part, and nothing that was counted before
            is lost.
          gauges: how things are with it now, e.g. a size, or the fraction of time that
            it waits; they are averaged over the parts.
        """
        with self._lock:
            known = counters if self._sources_go_on else {}
            before = self._counters.get(source, known)
            for name, value in counters.items():
                last = before.get(name, 0.0)
                self._totals[name] += value - last if value >= last else value
            self._counters[source] = dict(counters)
            self._gauges[source] = dict(gauges)
            self._reported_at[source] = self._clock()

    def seconds(self) -> float:
        """Returns how long the run has gone on, with the runs that it resumes."""
        with self._lock:
            return self._seconds(self._clock())

    def silence(self) -> dict[str, float]:
        """Returns, by source, the seconds since its last report."""
        with self._lock:
            now = self._clock()
            return {source: now - at for source, at in self._reported_at.items()}

    def record_update(
        self, frames: int, updates: int, metrics: Mapping[str, float]
    ) -> None:
        """Records the learner's newest update.

        Args:
          frames: environment frames trained on since the run began.
          updates: updates since the run began.
          metrics: of this update, by the names that `row` is to give them. A metric of
            one task is named `<metric>/<task>`.
        """
        with self._lock:
            self._frames = int(frames)
            self._updates = int(updates)
            self._metrics = {name: float(value) for name, value in metrics.items()}
            self._rate.record(self._clock(), self._frames)

    def mean_return(self, task_index: int) -> float | None:
        """Returns the mean return of a task's newest episodes; None without any."""
        with self._lock:
            return self._windows[task_index].mean_return()

    def episode_scores(self) -> list[np.ndarray]:
        """Returns normalised scores of the newest episodes, float64 [n] for each task.

        Of a task without a reference they are the raw returns.
        """
        with self._lock:
            return [
                np.array(
                    [
                        scores.normalised_score(x, reference) if reference else x
                        for x in window.returns()
                    ]
                )
                for reference, window in zip(
                    map(self._references.get, self.tasks), self._windows, strict=True
                )
            ]

    def forget_episodes(self) -> None:
        """Empties the windows of all tasks, for another policy acts from now on.

        It is a copy of another member's, and is counted.
        """
        with self._lock:
            for window in self._windows:
                window.forget()
            for score_window in self._score_windows.values():
                score_window.forget()
            if self._copies >= 0:
                self._copies += 1

    @property
    def copies(self) -> int:
        """Copies that what was learned goes back to; -1: an earlier version's state."""
        with self._lock:
            return self._copies

    @property
    def has_updates(self) -> bool:
        """Whether there was an update since it was made, or restored."""
        with self._lock:
            return self._updates > self._updates_before

    def row(self) -> dict[str, float]:
        """Returns everything that is known now, flat.

        Returns:
          `frames`, `updates`, `seconds` (of this run and those it resumes),
          `seconds_left`, `frames_per_second/<window>s` for each of RATE_WINDOWS; for
          each task `episode_return/<task>`, `episode_steps/<task>` (both means over the
          newest `rolling_episodes`), `episodes/<task>` (all so far) and, with a
          reference, `normalised_score/<task>` (of that mean return; 0 is random, 100
          the reference, uncapped); over all tasks with a reference `mean_capped_score`
          and, if they are several, `median_capped_score` (of the mean returns over the
          newest `score_window_frames`, as in Schmitt et al. 2018); then the learner's
          newest metrics, the counters and the gauges. What is not known yet is NaN:
          an aggregate, until each of its tasks has ended an episode.
        """
        with self._lock:
            now = self._clock()
            rates = {seconds: self._rate.over(now, seconds) for seconds in RATE_WINDOWS}
            row: dict[str, float] = {
                "frames": self._frames,
                "updates": self._updates,
                "seconds": self._seconds(now),
                "seconds_left": self._seconds_left(rates[RATE_WINDOWS[-1]]),
            }
            for seconds, rate in rates.items():
                row[f"frames_per_second/{seconds}s"] = rate
            for task, window in zip(self.tasks, self._windows, strict=True):
                row |= _task_columns(task, self._references.get(task), window)
            row |= self._score_columns()
            return row | self._metrics | self._totals | self._mean_gauges()

    def state(self) -> dict[str, Any]:
        """Returns what a resumed run needs to continue; JSON-serialisable."""
        with self._lock:
            return {
                "frames": self._frames,
                "updates": self._updates,
                "seconds": self._seconds(self._clock()),
                "copies": self._copies,
                "totals": dict(self._totals),
                "tasks": {
                    task: window.state()
                    for task, window in zip(self.tasks, self._windows, strict=True)
                },
                "score_windows": {
                    task: window.state() for task, window in self._score_windows.items()
                },
            }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continues from `state()` of an earlier run.

        Tasks that this run does not have are left out; tasks that are new start empty,
        and so do the scores of a state that an earlier version wrote without them.

        Args:
          state: what `state` gave, possibly by way of JSON.
        """
        with self._lock:
            self._frames = int(state["frames"])
            self._updates = self._updates_before = int(state["updates"])
            self._copies = int(state.get("copies", -1))
            self._seconds_before = float(state["seconds"])
            self._start = self._clock()
            self._rate = rolling.FrameRate(self._start, self._frames, RATE_WINDOWS[-1])
            self._totals = collections.defaultdict(float, state["totals"])
            for task, window in zip(self.tasks, self._windows, strict=True):
                if task in state["tasks"]:
                    window.restore(state["tasks"][task])
            for task, score_window in self._score_windows.items():
                score_window.restore(state.get("score_windows", {}).get(task, ()))

    def _seconds(self, now: float) -> float:
        return self._seconds_before + now - self._start

    def _seconds_left(self, frames_per_second: float) -> float:
        frames_left = max(self.total_frames - self._frames, 0)
        if not frames_left:
            return 0.0
        return frames_left / frames_per_second if frames_per_second else math.nan

    def _score_columns(self) -> dict[str, float]:
        capped = []
        for task, window in self._score_windows.items():
            mean_return = _or_nan(window.mean_return(self._frames))
            score = scores.normalised_score(mean_return, self._references[task])
            capped.append(scores.capped(score))
        columns = {}
        if capped:
            columns["mean_capped_score"] = statistics.fmean(capped)
        if len(capped) > 1:
            # The median of some NaN would depend on their order.
            unknown = any(map(math.isnan, capped))
            columns["median_capped_score"] = (
                math.nan if unknown else statistics.median(capped)
            )
        return columns

    def _mean_gauges(self) -> dict[str, float]:
        values = collections.defaultdict(list)
        for gauges in self._gauges.values():
            for name, value in gauges.items():
                values[name].append(value)
        return {name: statistics.fmean(reported) for name, reported in values.items()}


def _task_columns(
    task: str, reference: base.ReferenceScore | None, window: rolling.EpisodeWindow
) -> dict[str, float]:
    mean_return = _or_nan(window.mean_return())
    columns = {
        f"episode_return/{task}": mean_return,
        f"episode_steps/{task}": _or_nan(window.mean_agent_steps()),
        f"episodes/{task}": window.episodes,
    }
    if reference is not None:
        columns[f"normalised_score/{task}"] = scores.normalised_score(
            mean_return, reference
        )
    return columns


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
