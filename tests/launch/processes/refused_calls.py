"""Has the system refuse calls of this process, and of those that it starts.

By a filter as Docker's and systemd's are (man 2 seccomp), which takes no rights.
"""

import ctypes
import os
import struct

# <linux/prctl.h>, <linux/seccomp.h>, <linux/filter.h>, all for x86-64.
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 22, 38
_FILTER_MODE = 2
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_NUMBER_OFFSET, _SECOND_ARGUMENT_OFFSET = 0, 24
_NUMBERS = {"ioctl": 16, "connect": 42, "bind": 49, "unshare": 272}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def refuse(call: str, second_argument: int | None = None, kills: bool = False) -> None:
    """Refuses a system call for good, with EPERM.

    Args:
      call: its name.
      second_argument: with which it is refused; None: always.
      kills: whether the caller is killed in place of that.

    Raises:
      OSError: the system takes no filter.
    """
    conditions = [(_NUMBER_OFFSET, _NUMBERS[call])]
    if second_argument is not None:
        conditions.append((_SECOND_ARGUMENT_OFFSET, second_argument))
    instructions = []
    for done, (offset, value) in enumerate(conditions):
        instructions.append((_LOAD, 0, 0, offset))
        # Past the other conditions, and past what refuses.
        to_allow = 2 * (len(conditions) - done - 1) + 1
        instructions.append((_JUMP_IF_EQUAL, 0, to_allow, value))
    instructions.append((_RETURN, 0, 0, _KILL if kills else _REFUSE))
    instructions.append((_RETURN, 0, 0, _ALLOW))
    packed = b"".join(struct.pack("HBBI", *each) for each in instructions)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    program = _Program(len(instructions), packed)
    _prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program))


def drop_capability(number: int) -> None:
    """Takes a capability from root's next program, for good.

    Args:
      number: of <linux/capability.h>.

    Raises:
      OSError: this process may not.
    """
    pr_capbset_drop = 24
    _prctl(pr_capbset_drop, number)


def _prctl(*arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    # Each as long as a register.
    given = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    zeros = [ctypes.c_ulong(0)] * (5 - len(given))
    if libc.prctl(*given, *zeros) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
