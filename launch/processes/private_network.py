"""A network of a run's own, out of everybody else's reach.

Courier and Reverb listen on every address, accept anyone, and Courier unpickles what it
is sent: whoever reaches their ports can run code. Neither can be told to listen on
loopback alone, so a run on one machine moves into a network namespace, which no other
host and no other process reaches. This module is loaded before anything else is, since
only a process of one thread may make a user namespace, without which it takes the
rights of root.
"""

import sys

from launch.processes import network_namespace

# What of this process is open to others, as a sentence; empty: nothing that it was to
# keep to itself.
exposed = ""
_has_entered = False


def is_entered() -> bool:
    """Returns whether this process is in a network of its own."""
    return _has_entered


def enter_if_wanted(is_wanted: bool) -> None:
    """Enters a network of its own, or leaves in `exposed` what is open without one.

    Args:
      is_wanted: whether the run is to have one: nothing is done where it is not.

    Raises:
      SystemExit: it has got stuck on the way, and has said so.
    """
    global exposed, _has_entered
    if not is_wanted:
        return
    try:
        network_namespace.enter()
        _has_entered = True
    except OSError as error:
        exposed = (
            f"No network of its own ({error.strerror}): whoever reaches this machine's "
            "ports can run code in this run (docs/security.md)."
        )
    except network_namespace.HalfWayError as error:
        print(
            f"train: stuck half-way to a network of its own ({error}): add "
            "--noprivate_network, and see docs/security.md",
            file=sys.stderr,
        )
        raise SystemExit(2) from error
