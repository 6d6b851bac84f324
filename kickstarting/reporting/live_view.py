"""What a person sees of a run: a live picture on a terminal, status lines elsewhere."""

import atexit
import contextlib
import logging
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import IO, Protocol

from rich import console as rich_console
from rich import live

_REFRESHES_PER_SECOND = 2
_SECONDS_BETWEEN_LINES = 10.0


class Text(Protocol):
    """What is shown, in words, as it is now."""

    def picture(self, console: rich_console.Console) -> rich_console.RenderableType:
        """Returns what is drawn on a terminal."""
        ...

    def line(self, console: rich_console.Console) -> str:
        """Returns one line of plain text."""
        ...


def has_room_for_pictures(console: rich_console.Console) -> bool:
    """Returns whether pictures are drawn there in place; lines are printed elsewhere.

    Args:
      console: where a run is shown.
    """
    return console.is_terminal and not console.is_dumb_terminal


class LiveView:
    """Shows a run until it is stopped; draws from a daemon thread of its own."""

    def __init__(
        self,
        text: Text,
        console: rich_console.Console | None = None,
        seconds_between_lines: float = _SECONDS_BETWEEN_LINES,
    ) -> None:
        """Makes a view that shows nothing yet.

        Args:
          text: what is shown.
          console: where to draw; standard output if None.
          seconds_between_lines: between two status lines where there is no terminal.
        """
        self._console = console or rich_console.Console()
        self._text = text
        self._seconds_between_lines = seconds_between_lines
        self._show: contextlib.ExitStack | None = None

    def start(self) -> None:
        """Begins to draw; ended by `stop`, at the latest when the program ends."""
        if self._show is not None:
            return
        self._show = contextlib.ExitStack()
        if has_room_for_pictures(self._console):
            self._show.enter_context(self._pictures())
        else:
            self._show.enter_context(self._lines())
        # The terminal's cursor must come back, whatever ends the program.
        atexit.register(self.stop)

    def stop(self) -> None:
        """Draws the last state and nothing after it; safe to call twice."""
        show, self._show = self._show, None
        if show is not None:
            show.close()
            atexit.unregister(self.stop)

    @contextlib.contextmanager
    def _pictures(self) -> Iterator[None]:
        view = live.Live(
            get_renderable=lambda: self._text.picture(self._console),
            console=self._console,
            refresh_per_second=_REFRESHES_PER_SECOND,
            # A stderr that goes to a file goes on to do so.
            redirect_stderr=sys.stderr.isatty(),
        )
        stdout, stderr = sys.stdout, sys.stderr
        with view:
            handlers = _redirect_logging({stdout: sys.stdout, stderr: sys.stderr})
            try:
                yield
            finally:
                for handler, stream in handlers.items():
                    handler.setStream(stream)

    @contextlib.contextmanager
    def _lines(self) -> Iterator[None]:
        stopped = threading.Event()

        def draw() -> None:
            while not stopped.wait(self._seconds_between_lines):
                self._print_line()

        thread = threading.Thread(target=draw, name="live_view", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()
            self._print_line()

    def _print_line(self) -> None:
        # Not the console's print, which would break lines at 80 columns.
        line = self._text.line(self._console)
        print(line, file=self._console.file, flush=True)


def _redirect_logging(
    replacements: Mapping[IO[str], IO[str]],
) -> dict[logging.StreamHandler, IO[str]]:
    """Points log handlers at the streams that print above the picture.

    Handlers keep the stream they were made with, so that replacing sys.stderr alone
    would leave their lines to be drawn over.

    Args:
      replacements: for each original stream the one that takes its place.

    Returns:
      The handlers that were changed, with their original streams.
    """
    changed = {}
    for handler in logging.getLogger().handlers:
        # absl's handler passes records on to a stream handler inside.
        handler = getattr(handler, "python_handler", handler)
        if isinstance(handler, logging.StreamHandler):
            replacement = replacements.get(handler.stream, handler.stream)
            if replacement is not handler.stream:
                changed[handler] = handler.stream
                handler.setStream(replacement)
    return changed
