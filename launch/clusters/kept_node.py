"""Runs one node of a run on this machine, as launch.clusters.node, and looks after it.

  python -m launch.clusters.kept_node --node=actor/3 FLAGS

This process waits for those that do the work, one after another. So it loads nothing
that they do not need here: it would stay in memory.
"""

import os
import signal
import sys
import threading

from launch.monitoring import node_logs
from launch.processes import groups, keeper, revival

END_WITH_INPUT = "--end_with_input"
_STANDARD_INPUT = 0
_NODE, _LOGDIR = "--node=", "--logdir="


def main() -> None:
    """Keeps the node that argv names.

    Where argv says so, it ends when standard input does: who started it is gone.
    """
    if END_WITH_INPUT in sys.argv:
        threading.Thread(target=_end_with_input, name="input", daemon=True).start()
    node = _argument(_NODE)
    node_logs.begin(node)
    group = node.partition("/")[0]
    logdir = _argument(_LOGDIR) or "."
    most_ends = groups.MOST_ENDS.get(group, revival.MOST_ENDS)
    keeper.keep(logdir, node, _work, most_ends, groups.done(logdir, group))


def _work() -> None:
    from launch.clusters import node

    node.run()


def _argument(prefix: str) -> str:
    """Returns what follows a flag of this process; empty: it is not given."""
    given = [each for each in sys.argv[1:] if each.startswith(prefix)]
    return given[-1].removeprefix(prefix) if given else ""


def _end_with_input() -> None:
    while os.read(_STANDARD_INPUT, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
