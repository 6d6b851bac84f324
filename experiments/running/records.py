"""What is kept of a finished run: small enough to commit, enough to report it.

Runs live in folders that stay on their machine. A record lets an experiment go on
elsewhere, and its tables and figures be made again, without training what was trained.
"""

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from kickstarting.config import run as config_lib

MAX_POINTS = 150
# Over tasks, of the episodes within a tenth of the frames: docs/scores.md.
SCORE = "mean_capped_score"
_DIGITS = 5


@dataclasses.dataclass(frozen=True)
class Record:
    """One finished run.

    Attributes:
      identity: of its declaration, Training.identity().
      settings: the flags of launch.train that it was trained with.
      git_revision: of the code, '+changes' where files differed.
      seconds: wall-clock time of training.
      frames: environment frames of the curves, rising.
      columns: of metrics.csv, by name, as long as `frames`; None where unknown. Of a
        population those along the lineage of its best member.
      final_returns: mean raw return of the final checkpoint's evaluation, by task;
        empty without one.
      episodes: evaluated of each task.
      teacher_returns: by task, the mean raw returns on its teachers' cards.
    """

    identity: Mapping[str, Any]
    settings: tuple[str, ...]
    git_revision: str
    seconds: float
    frames: tuple[float, ...]
    columns: Mapping[str, tuple[float | None, ...]]
    final_returns: Mapping[str, float]
    episodes: int
    teacher_returns: Mapping[str, tuple[float, ...]]

    def column(self, name: str) -> np.ndarray:
        """Returns a curve, float64 [points], NaN where unknown.

        Raises:
          KeyError: the run has no such column.
        """
        return np.array(self.columns[name], np.float64)


def thinned(
    metrics: Mapping[str, np.ndarray], frames: np.ndarray
) -> tuple[tuple[float, ...], dict[str, tuple[float | None, ...]]]:
    """Returns at most MAX_POINTS rows of some columns, the first and last among them.

    Args:
      metrics: float [n] for each column.
      frames: float [n].
    """
    count = min(len(frames), MAX_POINTS)
    kept = np.linspace(0, len(frames) - 1, count).round().astype(int)
    return tuple(float(x) for x in frames[kept]), {
        name: tuple(_rounded(x) for x in values[kept])
        for name, values in metrics.items()
    }


def path(folder: str, key: str) -> str:
    """Returns the file of a run's record."""
    return os.path.join(folder, f"{key}.json")


def save(file_path: str, record: Record) -> None:
    """Writes a record; a reader sees the old file or the new one."""
    os.makedirs(os.path.dirname(file_path), exist_ok=True)
    temporary = f"{file_path}.{os.getpid()}"
    fields = dataclasses.asdict(record)
    with open(temporary, "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(_lines(fields)) + "\n}\n")
    os.replace(temporary, file_path)


def load(file_path: str) -> Record | None:
    """Returns the record of a file, None where there is no such file.

    Raises:
      config_lib.ConfigError: the file holds no record.
    """
    try:
        with open(file_path, encoding="utf-8") as file:
            fields = json.load(file)
        return Record(
            **{
                **fields,
                "settings": tuple(fields["settings"]),
                "frames": tuple(fields["frames"]),
                **{
                    field: {key: tuple(values) for key, values in fields[field].items()}
                    for field in ("columns", "teacher_returns")
                },
            }
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise config_lib.ConfigError(
            f"{file_path} is no record of a run ({error!r}): remove it to train again"
        ) from error


def _lines(fields: Mapping[str, Any]) -> Iterator[str]:
    """Yields one line a field, and one a curve: what changed is seen in a diff."""
    for name, value in fields.items():
        if name == "columns":
            curves = (f'  "{curve}": {_json(each)}' for curve, each in value.items())
            yield '"columns": {\n' + ",\n".join(curves) + "}"
        else:
            yield f'"{name}": {_json(value)}'


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _rounded(value: float) -> float | None:
    return float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None
