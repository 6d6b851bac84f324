"""A network of a run's own, with loopback and nothing else.

Courier and Reverb listen on every address, accept anyone, and Courier unpickles what it
is sent: whoever reaches their ports can run code. Neither can be told to listen on
loopback alone, so a run on one machine moves into a network namespace (man 7
network_namespaces), which no other host and no other process reaches. This module is
loaded before anything else is, since only a process of one thread may make a user
namespace, without which it takes the rights of root.
"""

import ctypes
import errno
import fcntl
import os
import pathlib
import socket
import struct
from collections.abc import Sequence

# <sched.h>, <linux/sockios.h>, <linux/if.h>
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8913, 0x8914
_IFF_UP = 0x1
_INTERFACE = struct.Struct("16sh14x")
FLAG = "private_network"
# A run on several machines needs the network that they share.
_LAUNCH = "launch="


# What of this process is open to others, as a sentence; empty: nothing that it was to
# keep to itself.
exposed = ""
_has_entered = False


def is_entered() -> bool:
    """Returns whether this process is in a network of its own."""
    return _has_entered


def enter_if_wanted(argv: Sequence[str]) -> None:
    """Enters a network of its own unless the flag says no; `exposed` says how it went.

    Args:
      argv: of the process, whose flags cannot be parsed yet.
    """
    global exposed
    given = [each.lstrip("-") for each in argv[1:] if each.startswith("-")]
    refusals = (f"no{FLAG}", *(f"{FLAG}={no}" for no in ("false", "False", "0", "no")))
    elsewhere = any(each.startswith(_LAUNCH) for each in given)
    if f"{_LAUNCH}local" not in given and elsewhere:
        return
    if any(each in refusals for each in given):
        return
    try:
        enter()
    except OSError as error:
        exposed = (
            f"No network of its own ({os.strerror(error.errno or errno.EIO)}): whoever "
            "reaches this machine's ports can run code in this run (docs/security.md)."
        )


def enter() -> None:
    """Moves this thread, and all that it starts, into a network of their own.

    Raises:
      OSError: the system does not allow it, or, to others than root, not to a process
        of several threads.
    """
    user, group = os.getuid(), os.getgid()
    try:
        _unshare(_CLONE_NEWNET)
    except PermissionError:
        _unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
        process = pathlib.Path("/proc/self")
        # Else nobody but root may map a group (man 7 user_namespaces).
        (process / "setgroups").write_text("deny")
        (process / "uid_map").write_text(f"{user} {user} 1")
        (process / "gid_map").write_text(f"{group} {group} 1")
    _raise_loopback()
    global _has_entered
    _has_entered = True


def _unshare(flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        before = _INTERFACE.pack(b"lo", 0)
        _, flags = _INTERFACE.unpack(fcntl.ioctl(control, _SIOCGIFFLAGS, before))
        fcntl.ioctl(control, _SIOCSIFFLAGS, _INTERFACE.pack(b"lo", flags | _IFF_UP))
