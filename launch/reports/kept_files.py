"""Where the episodes of an evaluation are kept while it is not complete."""

import contextlib
import hashlib
import json
import os
import pathlib
import time
from collections.abc import Mapping
from typing import Any

from kickstarting.acting import kept_episodes

_MOST_SECONDS = 30 * 86_400.0


def beside(path: str) -> str:
    """Returns the file beside what an evaluation is to leave.

    Args:
      path: of a JSON file or a folder, which need not be there yet.
    """
    return os.path.abspath(path).removesuffix(".json") + kept_episodes.SUFFIX


def in_cache(of: Mapping[str, Any]) -> str | None:
    """Returns the file of an evaluation that leaves none, in the user's cache.

    What nobody has gone on with for a month is removed from there.

    Args:
      of: tells it from others; see KeptEpisodes.
    """
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = pathlib.Path(caches, "kickstarting", "evaluations")
    if not folder.is_absolute():
        return None
    with contextlib.suppress(OSError):
        oldest = time.time() - _MOST_SECONDS
        for file in folder.glob(f"*{kept_episodes.SUFFIX}"):
            if file.stat().st_mtime < oldest:
                file.unlink()
    name = hashlib.sha256(json.dumps(dict(of), sort_keys=True).encode()).hexdigest()
    return str(folder / f"{name[:16]}{kept_episodes.SUFFIX}")
