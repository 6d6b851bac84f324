"""Where Matplotlib keeps its list of fonts, also for a person without a home."""

import os
import pathlib
import tempfile

_VARIABLE = "MPLCONFIGDIR"
# What Matplotlib writes to, if nothing is said: a variable, and where that is not set.
_OWN = (("XDG_CONFIG_HOME", "~/.config"), ("XDG_CACHE_HOME", "~/.cache"))


def keep() -> None:
    """Names a folder of this user's where Matplotlib's own cannot be made.

    It would say so in lines that look like an error, and leave a new folder behind.
    """
    if os.environ.get(_VARIABLE):
        return
    if all(
        _can_be_had(os.environ.get(variable) or os.path.expanduser(usual))
        for variable, usual in _OWN
    ):
        return
    try:
        folder = pathlib.Path(
            tempfile.gettempdir(), f"kickstarting-matplotlib-{os.getuid()}"
        )
        folder.mkdir(mode=0o700, exist_ok=True)
        is_own = folder.stat().st_uid == os.getuid()
    except OSError:
        return
    if is_own:
        os.environ[_VARIABLE] = str(folder)


def _can_be_had(parent: str) -> bool:
    folder = pathlib.Path(parent, "matplotlib")
    if not folder.is_absolute():
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
