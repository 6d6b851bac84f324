"""A stop event that the handler of a signal may set, whatever it has interrupted.

Launchpad sets its own one in the handlers of SIGINT and SIGTERM. A threading.Event
has a lock that its own thread cannot take twice: where the second signal comes while
the handler of the first one sets the event, or the main thread looks at it, the process
stands still until it is killed. Who stops whom: docs/how_it_works.md.
"""

import os
import threading
import types


class StopEvent(threading.Event):
    """Is set by a thread of its own, a moment after `set`."""

    def __init__(self) -> None:
        """Starts the thread."""
        super().__init__()
        self._reader, self._writer = os.pipe()
        threading.Thread(target=self._set, name="stop_event", daemon=True).start()

    def set(self) -> None:
        """Sees to it that the event is set, and returns at once."""
        os.write(self._writer, b"\0")

    def _set(self) -> None:
        os.read(self._reader, 1)
        super().set()


def use() -> None:
    """Lets Launchpad make such events, for what it launches from now on."""
    from launchpad.launch import worker_manager

    # The module's own name goes before the library of that name.
    worker_manager.threading = types.SimpleNamespace(
        **{**vars(threading), "Event": StopEvent}
    )
