"""What is kept of a finished run: small enough to commit, enough to report it.

Runs live in folders that stay on their machine. A record lets a study go on elsewhere,
and its tables and curves be made again, without training what was trained already.
"""

import dataclasses
import json
import os
from typing import Any

import numpy as np

from kickstarting import config as config_lib

MAX_POINTS = 200


@dataclasses.dataclass(frozen=True)
class Record:
    """One finished run.

    Attributes:
      settings: the flags of launch.train that decide what it learned.
      teacher_sha256: of its teacher's weights; empty without a teacher.
      git_revision: of the code that trained it, '+changes' where files differed.
      seconds: wall-clock time of training.
      final_return: mean raw return of the final checkpoint's evaluation.
      standard_error: of it; None for one episode.
      episodes: evaluated.
      frames: environment frames of the training curve, rising.
      returns: rolling mean raw returns of training at those frames.
    """

    settings: tuple[str, ...]
    teacher_sha256: str
    git_revision: str
    seconds: float
    final_return: float
    standard_error: float | None
    episodes: int
    frames: tuple[float, ...]
    returns: tuple[float, ...]


def thinned(
    frames: np.ndarray, returns: np.ndarray
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns at most MAX_POINTS points of a curve, its first and last among them.

    Args:
      frames: float [n].
      returns: float [n].
    """
    count = min(len(frames), MAX_POINTS)
    kept = np.linspace(0, len(frames) - 1, count).round().astype(int)
    return (
        tuple(float(x) for x in frames[kept]),
        tuple(round(float(x), 3) for x in returns[kept]),
    )


def save(path: str, record: Any) -> None:
    """Writes a record, a dataclass; a reader sees the old file or the new one."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(dataclasses.asdict(record), file, indent=1)
        file.write("\n")
    os.replace(temporary, path)


def load(path: str) -> Record | None:
    """Returns the record of a file, None where there is no such file.

    Raises:
      config_lib.ConfigError: the file holds no record.
    """
    try:
        with open(path, encoding="utf-8") as file:
            fields = json.load(file)
        lists = ("settings", "frames", "returns")
        return Record(**{**fields, **{name: tuple(fields[name]) for name in lists}})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise config_lib.ConfigError(
            f"{path} is no record of a run ({error!r}): remove it to train again"
        ) from error
