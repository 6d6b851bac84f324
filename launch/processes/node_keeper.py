"""Looks after a node's process, before that has loaded anything.

Nothing heavier may be loaded here: it would stay in the memory of the process that only
waits, and threads that it began would be missing in the one that works.
"""

import os
import signal
import sys
import threading

from launch.monitoring import node_logs
from launch.processes import groups, revival

END_WITH_INPUT = "--end_with_input"
_STANDARD_INPUT = 0
_NODE, _LOGDIR = "--node=", "--logdir="


def look_after() -> None:
    """Returns in a process that is to do the work of the node that argv names.

    Where argv says so, both end when standard input does: who started them is gone.
    """
    if END_WITH_INPUT in sys.argv:
        threading.Thread(target=_end_with_input, name="input", daemon=True).start()
    node = _argument(_NODE)
    node_logs.begin(node)
    most_ends = groups.MOST_ENDS.get(node.partition("/")[0], revival.MOST_ENDS)
    revival.return_in_child(_argument(_LOGDIR) or ".", node, most_ends)


def _argument(prefix: str) -> str:
    """Returns what follows a flag of this process; empty: it is not given."""
    given = [each for each in sys.argv[1:] if each.startswith(prefix)]
    return given[-1].removeprefix(prefix) if given else ""


def _end_with_input() -> None:
    while os.read(_STANDARD_INPUT, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
