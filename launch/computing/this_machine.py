"""By what name a run's nodes reach those on their own machine."""

import functools
import socket

_NAME, _NUMBER = "localhost", "127.0.0.1"


@functools.cache
def name() -> str:
    """Returns localhost, or its number where that name is nobody's, or another's.

    A run's own network has no servers of names: what /etc/hosts leaves out is not
    known there. Where it stands for ::1 alone, IPv6 may be switched off.
    """
    try:
        known = socket.getaddrinfo(_NAME, None, type=socket.SOCK_STREAM)
    except OSError:
        return _NUMBER
    numbers = {address[0] for *_, address in known}
    return _NAME if _NUMBER in numbers else _NUMBER
