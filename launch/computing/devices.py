"""The devices that a process computes on, in words, and whether it got what it was to.

A CUDA that is not there, or an image without it, is no error to JAX: it takes the CPU.
"""

import collections
import json
import os
import subprocess
import sys
from collections.abc import Sequence

from kickstarting.config import run as config_lib

# What lies in the current folder is not to be taken for a module of the same name.
_NAMES = (
    "import sys; del sys.path[0]; import jax, json; "
    "print(json.dumps([d.device_kind for d in jax.local_devices()]))"
)
_CPU = "cpu"


def local() -> tuple[str, ...]:
    """Returns the kind of each device that this process computes on.

    They are taken by it from then on.
    """
    import jax

    return tuple(device.device_kind for device in jax.local_devices())


def elsewhere() -> tuple[str, ...]:
    """Returns what `local` would, from a process that does not keep the devices."""
    done = subprocess.run(
        [sys.executable, "-c", _NAMES], capture_output=True, text=True, check=True
    )
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def text(kinds: Sequence[str]) -> str:
    """Returns kinds of devices in a few words, such as '2 × NVIDIA H200'."""
    counted = collections.Counter(kinds).items()
    return ", ".join(f"{count} × {kind}" for kind, count in counted)


def check(wanted: int) -> None:
    """Checks that this process has the accelerators that it was to have.

    Where JAX is told to keep to the CPU, none are looked for.

    Args:
      wanted: how many it was given.

    Raises:
      config_lib.ConfigError: it has none, or fewer.
    """
    if not wanted or os.environ.get("JAX_PLATFORMS") == _CPU:
        return
    found = [kind for kind in local() if kind != _CPU]
    if len(found) < wanted:
        raise config_lib.ConfigError(
            f"this node was given {wanted} accelerators and JAX finds "
            f"{text(found) or 'none'}: is the JAX here one for them "
            "(requirements-cuda12.txt), and are they the node's own?"
        )
