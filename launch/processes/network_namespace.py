"""A network with loopback and nothing else (man 7 network_namespaces), for a process.

Where users may make namespaces but have no rights in them (Ubuntu's AppArmor), or root
has not all of its own (containers), the first step into one succeeds, and a later one
is refused: what is left is a network without loopback, and no way back. So a child,
which may be lost, goes there first, all the way to a connection.
"""

import ctypes
import errno
import fcntl
import os
import pathlib
import select
import signal
import socket
import struct
from typing import NoReturn

from launch.computing import this_machine

# <sched.h>, <linux/sockios.h>, <linux/if.h>
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8913, 0x8914
_IFF_UP = 0x1
_INTERFACE = struct.Struct("16sh14x")
# For what takes milliseconds, on a machine that is busy.
_TRIAL_SECONDS = 10.0
_ARRIVED = b"arrived"
_LONGEST_ANSWER = 1000


class HalfWayError(Exception):
    """This process has left its network, but is in no other one that works."""


def enter() -> None:
    """Moves this thread, and all that it starts, into a network of their own.

    Raises:
      OSError: the system does not allow it, or, to others than root, not to a process
        of several threads. This process is where it was.
      HalfWayError: the system allowed it to a child, but not to this process.
    """
    _try_in_child()
    user, group = os.getuid(), os.getgid()
    is_of_own_user = _leave()
    try:
        _settle(user, group, is_of_own_user)
    except OSError as error:
        raise HalfWayError(error.strerror) from error


def _try_in_child() -> None:
    """Raises OSError where a child does not arrive there, or not in time."""
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        _tell_how_it_goes(sender)
    os.close(sender)
    try:
        ready, _, _ = select.select([receiver], [], [], _TRIAL_SECONDS)
        said = os.read(receiver, _LONGEST_ANSWER) if ready else b"no answer in time"
    finally:
        os.close(receiver)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if said != _ARRIVED:
        raise OSError(errno.EPERM, said.decode() or "killed on the way there")


def _tell_how_it_goes(sender: int) -> NoReturn:
    said = b"failed on the way there"
    try:
        user, group = os.getuid(), os.getgid()
        _settle(user, group, _leave())
        _connect_to_itself()
        said = _ARRIVED
    except OSError as error:
        said = str(error.strerror or error).encode()
    finally:
        os.write(sender, said)
        os._exit(0)


def _leave() -> bool:
    """Leaves this network for an empty one.

    Returns:
      whether it is in a user namespace, which is still to be told who is who.

    Raises:
      OSError: the system does not allow it. Nothing has changed.
    """
    try:
        _unshare(_CLONE_NEWNET)
    except PermissionError:
        _unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
        return True
    return False


def _unshare(flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _settle(user: int, group: int, is_of_own_user: bool) -> None:
    """Makes the empty network one to work in, as who this process was before."""
    if is_of_own_user:
        process = pathlib.Path("/proc/self")
        # Else nobody but root may map a group (man 7 user_namespaces).
        (process / "setgroups").write_text("deny")
        (process / "uid_map").write_text(f"{user} {user} 1")
        (process / "gid_map").write_text(f"{group} {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        before = _INTERFACE.pack(b"lo", 0)
        _, flags = _INTERFACE.unpack(fcntl.ioctl(control, _SIOCGIFFLAGS, before))
        fcntl.ioctl(control, _SIOCSIFFLAGS, _INTERFACE.pack(b"lo", flags | _IFF_UP))


def _connect_to_itself() -> None:
    """Does what the nodes will do, by the name that they use."""
    with socket.create_server((this_machine.name(), 0)) as server:
        socket.create_connection(server.getsockname()).close()
