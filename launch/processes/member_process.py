"""A member of a population as one process: its whole ring, in threads.

Members that share a process share Python's lock; as processes they share what they
compile through JAX's persistent cache (launch/computing/compilation_cache.py).
"""

import importlib
import threading
from collections.abc import Sequence

import launchpad as lp

from kickstarting.config import run as config_lib
from kickstarting.reporting import run_files

_POLL_SECONDS = 0.5


class MemberNode(lp.MultiThreadingColocation):
    """All nodes of a member."""

    def __init__(
        self, nodes: Sequence[lp.PyNode], first: config_lib.Config | None
    ) -> None:
        """Takes the nodes.

        Args:
          nodes: in no program, of one member.
          first: configuration of the first member, which compiles before the others
            begin; None for this one itself.
        """
        super().__init__(nodes)
        self._first = first

    def run(self) -> None:
        """Runs the nodes, once the first member has compiled what all of them need."""
        if self._first is not None:
            wait_for_update(self._first.logdir, lp.stop_event())
        # Before threads do so, all at once.
        importlib.import_module("kickstarting.queue.reverb_queue")
        super().run()


def wait_for_update(logdir: str, stop: threading.Event) -> None:
    """Waits until a run has made an update, for as long as the program goes on.

    Args:
      logdir: of the run.
      stop: set when the program ends.
    """
    while not stop.is_set():
        try:
            if run_files.newest_row(logdir):
                return
        except run_files.RunFilesError:
            # It has not begun to write.
            pass
        stop.wait(_POLL_SECONDS)
