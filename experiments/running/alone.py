"""One runner at a time in a folder of results."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from kickstarting.config import run as config_lib


@contextlib.contextmanager
def alone(results: str) -> Iterator[None]:
    """Keeps other runners off the same folder, which is made where it is missing.

    Raises:
      config_lib.ConfigError: one is there, or the folder cannot be written.
    """
    try:
        os.makedirs(results, exist_ok=True)
        lock = open(os.path.join(results, "lock"), "w", encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        raise config_lib.ConfigError(
            f"cannot write {results} ({error.strerror}): choose another --results"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise config_lib.ConfigError(
                f"another runner works in {results}: wait for it, or choose another "
                "--results"
            ) from error
        yield
