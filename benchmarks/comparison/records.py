"""What is kept of a training: small enough to commit, enough to compare it again."""

import dataclasses
import json
import os
from typing import Any

import numpy as np

from benchmarks.comparison import curves
from kickstarting.config import run as config_lib

_MAX_POINTS = 300
_DIGITS = 6


@dataclasses.dataclass(frozen=True)
class Training:
    """One training of one competitor.

    Attributes:
      task: `suite:level`.
      peer: name of the competitor.
      seed: of everything random.
      total_frames: environment frames.
      threads: of its linear algebra.
    """

    task: str
    peer: str
    seed: int
    total_frames: int
    threads: int

    @property
    def name(self) -> str:
        """Its folder below that of the results, and its record below the records."""
        task = self.task.replace(":", "_").replace("/", "_")
        size = f"{self.total_frames}_frames_{self.threads}_threads"
        return os.path.join(task, f"{self.peer}_{size}_seed{self.seed}")


@dataclasses.dataclass(frozen=True)
class Record:
    """A training that has ended.

    Attributes:
      training: what was trained.
      settings: with what, as the competitor tells it.
      cores: of the machine.
      at_once: trainings that went side by side.
      minutes: that it was given.
      limit_reached: whether these ended it.
      seconds: of the clock, of the whole process.
      cpu_seconds: of all its processes.
      curve: thinned.
      trained_return: the curve's last value in what the learner was given, which may be
        scaled and shaped; None without a curve.
    """

    training: Training
    settings: dict[str, Any]
    cores: int
    at_once: int
    minutes: float
    limit_reached: bool
    seconds: float
    cpu_seconds: float
    curve: curves.Curve
    trained_return: float | None


def thinned(curve: curves.Curve) -> curves.Curve:
    """Returns as much of a curve as a record keeps."""
    return curve.thinned(_MAX_POINTS)


def path(folder: str, training: Training) -> str:
    """Returns the file of a training's record."""
    return os.path.join(folder, f"{training.name}.json")


def save(folder: str, record: Record) -> None:
    """Writes a record; a reader sees the old file or the new one.

    Raises:
      OSError: it cannot be written.
    """
    fields = {
        **{field.name: getattr(record, field.name) for field in _plain_fields()},
        "training": dataclasses.asdict(record.training),
        "curve": {
            name: [float(f"{value:.{_DIGITS}g}") for value in values]
            for name, values in vars(record.curve).items()
        },
    }
    # A line for each field and each curve: what changed is seen in a diff.
    lines = [
        f'"{name}": {_json(value)}' for name, value in fields.items() if name != "curve"
    ]
    points = (f' "{name}": {_json(value)}' for name, value in fields["curve"].items())
    lines.append('"curve": {\n' + ",\n".join(points) + "}")
    file_path = path(folder, record.training)
    os.makedirs(os.path.dirname(file_path), exist_ok=True)
    with open(f"{file_path}.new", "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
    os.replace(f"{file_path}.new", file_path)


def load(folder: str, training: Training) -> Record | None:
    """Returns a training's record, None where there is none.

    Raises:
      config_lib.ConfigError: the file holds no record.
    """
    file_path = path(folder, training)
    try:
        with open(file_path, encoding="utf-8") as file:
            fields = json.load(file)
        curve = {
            name: np.array(values, np.float64)
            for name, values in fields["curve"].items()
        }
        return Record(
            **{
                **fields,
                "training": Training(**fields["training"]),
                "curve": curves.Curve(**curve),
            }
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise config_lib.ConfigError(
            f"{file_path} is no record of a training ({error!r}): remove it to train "
            "again"
        ) from error


def _plain_fields() -> list[dataclasses.Field]:
    nested = ("training", "curve")
    return [field for field in dataclasses.fields(Record) if field.name not in nested]


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False)
