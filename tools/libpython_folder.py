"""Prints the folder that LD_LIBRARY_PATH must hold for dm-launchpad to find libpython.

The line is empty where the dynamic linker finds it by itself. Exits with status 1 where
this interpreter is not Python 3.10, cannot make virtual environments or has no
libpython: ./kickstart then tries the next one.
"""

import ctypes
import importlib.util
import os
import sys
import sysconfig

LIBRARY = "libpython3.10.so.1.0"


def libpython_folder() -> str:
    """Returns the folder of libpython, or nothing where the linker knows it."""
    try:
        ctypes.CDLL(LIBRARY)
        return ""
    except OSError:
        pass
    for folder in (sysconfig.get_config_var("LIBDIR"), sys.base_prefix + "/lib"):
        if folder and os.path.exists(os.path.join(folder, LIBRARY)):
            return str(folder)
    sys.exit(f"{sys.executable} has no {LIBRARY}")


if __name__ == "__main__":
    if sys.version_info[:2] != (3, 10):
        sys.exit(f"{sys.executable} is not Python 3.10")
    if not importlib.util.find_spec("ensurepip"):
        sys.exit(f"{sys.executable} cannot make virtual environments")
    print(libpython_folder())
