"""Whether the ports are free on which a run is to listen.

gRPC would share a port with another server of the same machine, which then takes a
part of the calls.
"""

import socket
import time

from kickstarting.config import run as config_lib

_POLL_SECONDS = 0.2


def check(flag: str, first: int, count: int, patience: float = 0.0) -> None:
    """Checks that nobody listens on some ports of this machine.

    Args:
      flag: by whose value they are chosen.
      first: of them.
      count: how many.
      patience: seconds in which who listens there may go.

    Raises:
      config_lib.ConfigError: somebody does.
    """
    end = time.monotonic() + patience
    for port in range(first, first + count):
        while (error := _bound(port)) is not None:
            if time.monotonic() >= end:
                raise config_lib.ConfigError(
                    f"port {port} is taken: free it or choose another --{flag}"
                ) from error
            time.sleep(_POLL_SECONDS)


def _bound(port: int) -> OSError | None:
    """Returns why nobody can listen there alone; None: one can."""
    with socket.socket() as probe:
        # Connections of a server that has gone do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            return error
    return None
