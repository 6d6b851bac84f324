"""What XLA has compiled is kept for the next start, by this user on this machine."""

import contextlib
import hashlib
import os
import pathlib
import sys

# JAX's own variables; jax.config has them in small letters.
FOLDER = "JAX_COMPILATION_CACHE_DIR"
_LEAST_SECONDS = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"

# A configuration's programs are about a megabyte.
MOST_BYTES = 2**30


def keep() -> None:
    """Lets JAX look for what it needs among what earlier starts have compiled.

    Nothing where the person has named a folder, or none can be had: then it compiles.
    """
    if os.environ.get(FOLDER):
        return
    folder = _own_folder()
    if folder is None:
        return
    settings = {FOLDER: str(folder), _LEAST_SECONDS: "0.2"}
    # For the processes that this one starts, and for itself.
    os.environ.update(settings)
    if jax := sys.modules.get("jax"):
        jax.config.update(FOLDER.lower(), str(folder))
        jax.config.update(_LEAST_SECONDS.lower(), float(settings[_LEAST_SECONDS]))


def _own_folder() -> pathlib.Path | None:
    """Returns a folder that nobody else can write to, with room in it, or None."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = pathlib.Path(caches, "kickstarting", "compiled", _processor())
    if not folder.is_absolute():
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What lies there is run.
        is_own = folder.stat().st_uid == os.geteuid()
        if not is_own or not os.access(folder, os.W_OK):
            return None
        _make_room(folder)
    except OSError:
        return None
    return folder


def _processor() -> str:
    """Returns what code is compiled for: homes are shared among machines."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("flags"):
                return hashlib.sha256(line.encode()).hexdigest()[:16]
    return os.uname().machine


def _make_room(folder: pathlib.Path) -> None:
    """Removes the oldest half of what is kept where it has become too much."""
    files = sorted((file.stat().st_mtime, file) for file in folder.iterdir())
    if sum(file.stat().st_size for _, file in files) > MOST_BYTES:
        for _, file in files[: len(files) // 2]:
            file.unlink(missing_ok=True)
