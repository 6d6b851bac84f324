"""How far an evaluation is: a bar on a terminal, lines elsewhere."""

import time
from collections.abc import Callable
from types import TracebackType

from rich import console as rich_console
from rich import progress as rich_progress

from kickstarting.reporting import live_view

_SECONDS_BETWEEN_LINES = 60.0
_SECONDS_BETWEEN_PICTURES = 0.2


class EpisodeProgress:
    """Shows levels whose episodes are played one level after the other, within.

    Attributes:
      say: prints a line, above the bar where there is one.
    """

    def __init__(
        self,
        console: rich_console.Console | None = None,
        seconds_between_lines: float = _SECONDS_BETWEEN_LINES,
        say: Callable[[str], None] | None = None,
    ) -> None:
        """Shows nothing yet.

        Args:
          console: where it is shown; standard error if None.
          seconds_between_lines: between two lines where there is no terminal.
          say: takes what `say` is given; it is printed there if None.
        """
        self._console = console or rich_console.Console(stderr=True)
        self._seconds = seconds_between_lines
        self.say = say or self._print
        self._bar: rich_progress.Progress | None = None
        self._row: rich_progress.TaskID | None = None
        self._what = ""
        self._began = 0.0

    def __enter__(self) -> "EpisodeProgress":
        """Returns itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def begin(
        self, what: str, number: int, count: int, num_episodes: int
    ) -> Callable[[int, int], None]:
        """Begins with a level.

        Args:
          what: is played, in words.
          number: of the level, from 1 on.
          count: of all levels.
          num_episodes: of each.

        Returns:
          what is told how many of the level's episodes have ended, and how many agent
          steps were acted for them.
        """
        self._what = f"{what} ({number} of {count})" if count > 1 else what
        self._began = time.monotonic()
        if live_view.has_room_for_pictures(self._console):
            return self._drawn((number - 1) * num_episodes, count * num_episodes)
        return self._printed(num_episodes)

    def end(self, outcome: str) -> None:
        """Ends the level: a line where there is no terminal.

        Args:
          outcome: of it, in words.
        """
        if self._bar is None:
            seconds = time.monotonic() - self._began
            self._print(f"{self._what}: {outcome}, after {seconds:.0f} seconds")

    def _print(self, line: str) -> None:
        self._console.print(
            line, highlight=False, soft_wrap=True, markup=False, emoji=False
        )

    def _drawn(self, before: int, total: int) -> Callable[[int, int], None]:
        if self._bar is None:
            # Where nobody has to play it says nothing, not even an empty line.
            self._bar = rich_progress.Progress(
                *rich_progress.Progress.get_default_columns(),
                console=self._console,
                transient=True,
            )
            self._bar.start()
            self._row = self._bar.add_task("", total=total)
        shown = -1
        due = 0.0

        def watch(finished: int, agent_steps: int) -> None:
            nonlocal shown, due
            now = time.monotonic()
            if finished == shown and now < due:
                return
            shown, due = finished, now + _SECONDS_BETWEEN_PICTURES
            assert self._bar is not None and self._row is not None
            self._bar.update(
                self._row,
                completed=before + finished,
                description=f"{self._what}, {agent_steps:,} steps",
            )

        watch(0, 0)
        return watch

    def _printed(self, num_episodes: int) -> Callable[[int, int], None]:
        due = self._began + self._seconds

        def watch(finished: int, agent_steps: int) -> None:
            nonlocal due
            now = time.monotonic()
            if now < due:
                return
            due = now + self._seconds
            self._print(
                f"{self._what}: {finished} of {num_episodes} episodes, "
                f"{agent_steps:,} agent steps"
            )

        return watch
