"""What a controller knows of its members, in words: for the live view."""

import threading
import time
from collections.abc import Mapping, Sequence

from rich import console as rich_console
from rich import panel, table, text

from kickstarting.population import rules as population
from kickstarting.population.member import Progress
from kickstarting.reporting import figures
from kickstarting.scores import rolling

# Seconds that the frame rate is averaged over.
_WINDOW = 60.0


class MembersText:
    """Puts what the controller last saw of the members into words."""

    def __init__(self, title: str, size: int, total_frames: int) -> None:
        """Names what is shown.

        Args:
          title: names the run.
          size: members.
          total_frames: of each member.
        """
        self._title = title
        self._total_frames = total_frames
        self._lock = threading.Lock()
        self._progress: Sequence[Progress] = [Progress(0, None)] * size
        self._hyperparameters: Sequence[Mapping[str, float]] = [{}] * size
        self._copies = 0
        self._restarts: Sequence[int] = [0] * size
        self._rate: rolling.FrameRate | None = None

    def record(
        self,
        progress: Sequence[Progress],
        hyperparameters: Sequence[Mapping[str, float]],
        copies: int,
        restarts: Sequence[int],
    ) -> None:
        """Takes what the controller sees.

        Args:
          progress: of each member.
          hyperparameters: of each member.
          copies: that were made so far.
          restarts: of each member that died, since the program began.
        """
        frames = sum(each.frames for each in progress)
        with self._lock:
            self._progress = list(progress)
            self._hyperparameters = list(hyperparameters)
            self._copies = copies
            self._restarts = list(restarts)
            if self._rate is None:
                # What an earlier run did takes no time of this one.
                self._rate = rolling.FrameRate(time.monotonic(), frames, _WINDOW)
            self._rate.record(time.monotonic(), frames)

    def picture(self, console: rich_console.Console) -> rich_console.RenderableType:
        """Returns the population as a table.

        Args:
          console: where it will be drawn.
        """
        with self._lock:
            columns = sorted(
                name
                for name in self._hyperparameters[0]
                if not name.startswith(population.FACTOR)
            )
            grid = table.Table(box=None, padding=(0, 1), header_style="dim")
            restarts = ("restarts",) if any(self._restarts) else ()
            for name in ("member", "frames", "score", *columns, *restarts):
                heading = _heading(name, console)
                grid.add_column(text.Text(heading), justify="right")
            best = self._best()
            for index, (progress, own) in enumerate(
                zip(self._progress, self._hyperparameters, strict=True)
            ):
                grid.add_row(
                    str(index),
                    figures.short(progress.frames),
                    _score(progress),
                    *(f"{own[name]:.3g}" for name in columns if name in own),
                    *(str(self._restarts[index]) for _ in restarts),
                    style="bold" if index == best else "",
                )
            return panel.Panel(
                rich_console.Group(text.Text(self._summary()), text.Text(), grid),
                title=text.Text(self._title, style="bold"),
                title_align="left",
                border_style="dim",
            )

    def line(self, console: rich_console.Console) -> str:
        """Returns the population as one line of plain text.

        Args:
          console: where it will be printed.
        """
        with self._lock:
            scores = " ".join(map(_score, self._progress))
            words = [f"{self._title}: {self._summary()}", f"scores {scores}"]
            best = self._best()
            if best is not None:
                own = ", ".join(
                    f"{_heading(name, console)} {value:.3g}"
                    for name, value in sorted(self._hyperparameters[best].items())
                    if not name.startswith(population.FACTOR)
                )
                words.append(f"best is member {best}: {own}")
            return " | ".join(words)

    def _summary(self) -> str:
        frames = sum(each.frames for each in self._progress)
        total = self._total_frames * len(self._progress)
        rate = 0.0
        if self._rate is not None:
            rate = self._rate.over(time.monotonic(), _WINDOW)
        duration = figures.duration((total - frames) / rate) if rate else "?"
        left = f"{duration} left" if frames < total else "trained"
        return (
            f"{len(self._progress)} members, {frames:,} of {total:,} frames, "
            f"{rate:,.0f}/s, {left}, {self._copies} copies" + self._restarted()
        )

    def _restarted(self) -> str:
        died = [
            f"member {index} {times}×"
            for index, times in enumerate(self._restarts)
            if times
        ]
        return f", restarted: {' '.join(died)}" if died else ""

    def _best(self) -> int | None:
        known = [
            (each.fitness.mean, index)
            for index, each in enumerate(self._progress)
            if each.fitness is not None
        ]
        return max(known)[1] if known else None


def _heading(name: str, console: rich_console.Console) -> str:
    """Returns what a person reads, as in the view of a single run."""
    if name == population.WEIGHT:
        return figures.lambda_on(console)
    return name.replace("_", " ")


def _score(progress: Progress) -> str:
    return "?" if progress.fitness is None else f"{progress.fitness.mean:.1f}"
