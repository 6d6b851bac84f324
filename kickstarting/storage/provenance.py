"""Where a run comes from: all that is needed to run the same again."""

import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

_PACKAGES = (
    "chex",
    "dm-env",
    "dm-launchpad",
    "dm-reverb",
    "flax",
    "gymnasium",
    "jax",
    "jaxlib",
    "minigrid",
    "numpy",
    "optax",
    "orbax-checkpoint",
    "rlax",
    "tensorflow-cpu",
    "vizdoom",
    "xminigrid",
)

_GIT_SECONDS = 10


def describe(
    config: Mapping[str, Any], argv: Sequence[str], devices: Sequence[str] = ()
) -> dict[str, Any]:
    """Describes a run that starts now.

    Args:
      config: every field of the run's configuration, JSON-serialisable.
      argv: the command line.
      devices: the kind of each device that is computed on, where known.

    Returns:
      A JSON-serialisable dict: `config`, `command`, `started` (UTC), `host`,
      `platform`, `processors`, `devices`, `python`, `git` (`revision` and `dirty`, or
      None outside a checkout) and `packages` (installed versions of the stack).
    """
    return {
        "config": config,
        "command": _command(argv),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "devices": list(devices),
        "python": platform.python_version(),
        "git": git_revision(os.path.realpath(__file__)),
        "packages": package_versions(_PACKAGES),
    }


def _command(argv: Sequence[str]) -> list[str]:
    """Names the module that `python -m` runs, not its path on this machine."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is None or not argv:
        return list(argv)
    return ["python", "-m", spec.name, *argv[1:]]


def package_versions(names: Sequence[str]) -> dict[str, str]:
    """Returns the versions of those of the named packages that are installed."""
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def git_revision(path: str) -> dict[str, Any] | None:
    """Returns the revision of the git checkout that tracks a file.

    Args:
      path: of the file. A file that git does not track, e.g. one of an installed copy
        inside somebody else's checkout, has no revision.

    Returns:
      `revision` (the commit) and `dirty` (whether tracked files differ from it), or
      None.
    """
    folder, name = os.path.split(path)

    def git(*arguments: str) -> str:
        return subprocess.run(
            ("git", "-C", folder, *arguments),
            check=True,
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
        ).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", name)
        return {
            "revision": git("rev-parse", "HEAD"),
            "dirty": bool(git("status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.SubprocessError):
        return None
