"""The live view of a run whose processes are not the one that has the terminal.

The node that knows how the run goes draws into a file, as wide as the terminal is, and
the launcher shows what stands there.
"""

import contextlib
import io
import json
import os
import pathlib
import tempfile
import threading
from collections.abc import Iterator
from typing import Protocol

from rich import console as rich_console
from rich import text as rich_text

from kickstarting.reporting import live_view

_FOLDER_VARIABLE = "KICKSTARTING_VIEW_FOLDER"
_DRAWN, _SCREEN = "drawn.txt", "screen.json"
_PERIOD_SECONDS = 0.5
_NOTHING_YET = "starting: what the nodes load and compile takes a while"


class View(Protocol):
    """Shows a run from `start` to `stop`."""

    def start(self) -> None:
        """Begins to show it."""
        ...

    def stop(self) -> None:
        """Shows its last state."""
        ...


def of_node(text: live_view.Text) -> View:
    """Returns a view for the launcher's terminal, or this process's own without one.

    Args:
      text: what is shown.
    """
    folder = os.environ.get(_FOLDER_VARIABLE)
    if folder is None:
        return live_view.LiveView(text)
    return _Painter(text, pathlib.Path(folder))


@contextlib.contextmanager
def on_this_terminal(wanted: bool) -> Iterator[dict[str, str]]:
    """Shows, within, what a node of another process draws.

    Args:
      wanted: whether the user wants it.

    Yields:
      the variables for that process.
    """
    if not wanted:
        yield {}
        return
    folder = pathlib.Path(tempfile.mkdtemp(prefix="view-"))
    console = rich_console.Console()
    painted = _Painted(folder)
    painted.tell_size(console)
    view = live_view.LiveView(painted, console)
    view.start()
    try:
        yield {_FOLDER_VARIABLE: str(folder)}
    finally:
        view.stop()


class _Painted:
    """What a node has drawn last."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._screen: dict[str, object] = {}

    def picture(self, console: rich_console.Console) -> rich_console.RenderableType:
        self.tell_size(console)
        drawn = _read(self._folder / _DRAWN)
        if not drawn:
            return rich_text.Text(_NOTHING_YET, style="dim")
        return rich_text.Text.from_ansi(drawn, no_wrap=True, overflow="crop")

    def line(self, console: rich_console.Console) -> str:
        del console
        return _read(self._folder / _DRAWN) or _NOTHING_YET

    def tell_size(self, console: rich_console.Console) -> None:
        """Writes down what can be drawn; a person may have changed the size."""
        width, height = console.size
        screen = {
            "width": width,
            "height": height,
            "encoding": console.encoding,
            "pictures": live_view.has_room_for_pictures(console),
        }
        if screen != self._screen:
            _replace(self._folder / _SCREEN, json.dumps(screen))
            self._screen = screen


class _Painter:
    """Draws into files, from a daemon thread."""

    def __init__(self, text: live_view.Text, folder: pathlib.Path) -> None:
        self._text = text
        self._folder = folder
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="view", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(_PERIOD_SECONDS):
            self._draw()
        self._draw()

    def _draw(self) -> None:
        screen = _read(self._folder / _SCREEN)
        if not screen:
            return
        told = json.loads(screen)
        drawn = io.TextIOWrapper(io.BytesIO(), told["encoding"], "replace")
        console = rich_console.Console(
            file=drawn,
            width=told["width"],
            height=told["height"],
            force_terminal=True,
            color_system="truecolor",
        )
        if told["pictures"]:
            console.print(self._text.picture(console))
        else:
            drawn.write(self._text.line(console))
        drawn.seek(0)
        _replace(self._folder / _DRAWN, drawn.read())


def _read(path: pathlib.Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""


def _replace(path: pathlib.Path, content: str) -> None:
    """Writes a file that is never seen half; leaves it where the disk is full."""
    partial = path.with_suffix(".partial")
    with contextlib.suppress(OSError):
        partial.write_text(content, "utf-8")
        os.replace(partial, path)
