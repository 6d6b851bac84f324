"""What a run leaves for a person: config.json, metrics.csv, TensorBoard events.

Events are written where TensorBoard is installed: somebody's own training loop on the
library needs none of it.
"""

import contextlib
import csv
import importlib.util
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kickstarting.storage import provenance

CONFIG_FILE = "config.json"
STARTS_FOLDER = "starts"
METRICS_FILE = "metrics.csv"

# The column that every row has: environment frames, the x axis of every curve.
FRAMES = "frames"


class RunFilesError(Exception):
    """A file of the run cannot be read or written; its message is one line."""


class RunFiles:
    """Writes the files of one run, unbuffered; for one thread."""

    def __init__(self, logdir: str) -> None:
        """Opens the run's folder, which is made where it is missing.

        Args:
          logdir: the run's folder. A metrics.csv in it is continued.

        Raises:
          RunFilesError: the folder cannot be written, or its metrics.csv is not ours.
        """
        try:
            os.makedirs(logdir, exist_ok=True)
        except OSError as error:
            raise _unwritable(logdir, error) from error
        self._config_path = os.path.join(logdir, CONFIG_FILE)
        self._metrics_path = os.path.join(logdir, METRICS_FILE)
        self._columns: list[str] = []
        if os.path.exists(self._metrics_path):
            self._columns, rows = _read_csv(self._metrics_path)
            # A run that was killed may have left half a row at the end.
            _replace(self._metrics_path, _csv_text(self._columns, rows))
        self._metrics = _AppendedFile(self._metrics_path)
        self._events_file, self._events = _begin_events(logdir)

    def write_config(
        self,
        config: Mapping[str, Any],
        argv: Sequence[str] = tuple(sys.argv),
        devices: Sequence[str] = (),
    ) -> None:
        """Writes config.json: all that is needed to run the same again.

        That of each start of the run is kept beside it, by its number.

        Args:
          config: every field of the run's configuration, JSON-serialisable.
          argv: the command line.
          devices: the kind of each device that the learner computes on, where known.

        Raises:
          RunFilesError: the file cannot be written.
        """
        description = provenance.describe(config, argv, devices)
        text = json.dumps(description, indent=2, ensure_ascii=False)
        _replace(self._config_path, text + "\n")
        starts = os.path.join(os.path.dirname(self._config_path), STARTS_FOLDER)
        try:
            os.makedirs(starts, exist_ok=True)
            number = len(os.listdir(starts)) + 1
        except OSError as error:
            raise _unwritable(starts, error) from error
        _replace(os.path.join(starts, f"{number}.json"), text + "\n")

    def write_row(self, row: Mapping[str, float]) -> None:
        """Appends one row to metrics.csv and to the TensorBoard events, if any.

        A column that the file does not have yet is added to it. NaN and infinities go
        to metrics.csv alone.

        Args:
          row: must have `frames`.

        Raises:
          RunFilesError: a file cannot be written, e.g. because the disk is full.
            Neither file is left with half a row.
        """
        new_columns = [name for name in row if name not in self._columns]
        if new_columns:
            _, rows = _read_csv(self._metrics_path)
            self._rewrite_metrics([*self._columns, *new_columns], rows)
        cells = {name: _format_cell(value) for name, value in row.items()}
        line = _csv_text(self._columns, [cells], header=False)
        self._metrics.write(line.encode())
        if self._events is not None:
            rest = {name: value for name, value in row.items() if name != FRAMES}
            self._events.write_row(int(row[FRAMES]), rest)

    def truncate(self, frames: int) -> None:
        """Drops the rows that a run resumed from a checkpoint at `frames` will repeat.

        Args:
          frames: environment frames of the checkpoint; rows beyond are dropped.

        Raises:
          RunFilesError: a file cannot be read or written.
        """
        columns, rows = _read_csv(self._metrics_path)
        kept = [row for row in rows if float(row[FRAMES]) <= frames]
        self._rewrite_metrics(columns, kept)
        if self._events is not None:
            self._events.restart(frames + 1)

    def close(self) -> None:
        """Closes the files; safe to call twice."""
        self._metrics.close()
        if self._events_file is not None:
            self._events_file.close()

    def _rewrite_metrics(
        self, columns: list[str], rows: Sequence[Mapping[str, str]]
    ) -> None:
        _replace(self._metrics_path, _csv_text(columns, rows))
        self._columns = columns
        self._metrics.close()
        self._metrics = _AppendedFile(self._metrics_path)


def append(path: str, text: str) -> None:
    """Appends to a file, which is made where it is missing, the whole text or nothing.

    Args:
      path: of the file.
      text: whole lines.

    Raises:
      RunFilesError: it cannot be written.
    """
    file = _AppendedFile(path)
    try:
        file.write(text.encode())
    finally:
        file.close()


def read_metrics(path: str) -> dict[str, np.ndarray]:
    """Reads a metrics.csv, also one that is being written.

    Args:
      path: of the file, or of the run's folder.

    Returns:
      float64 [rows] for each column; NaN where a row has no value.

    Raises:
      RunFilesError: the file cannot be read, or is not a metrics.csv.
    """
    if os.path.isdir(path):
        path = os.path.join(path, METRICS_FILE)
    columns, rows = _read_csv(path)
    return {
        name: np.array([float(row[name] or "nan") for row in rows], np.float64)
        for name in columns
    }


class _AppendedFile:
    """A file that is only appended to, unbuffered; each write is whole or undone."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        except OSError as error:
            raise _unwritable(path, error) from error

    def write(self, data: bytes) -> None:
        size = os.fstat(self._descriptor).st_size
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            # Where the system has made the disk read-only, nothing was written either.
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, size)
            raise _unwritable(self._path, error) from error

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _begin_events(logdir: str) -> tuple[_AppendedFile | None, Any]:
    """Returns a file of events and what writes to it, or Nones without TensorBoard."""
    if importlib.util.find_spec("tensorboard") is None:
        return None, None
    from kickstarting.reporting import tensorboard_events

    name = tensorboard_events.next_name(logdir)
    file = _AppendedFile(os.path.join(logdir, name))
    return file, tensorboard_events.Events(file)


def _read_csv(path: str) -> tuple[list[str], list[dict[str, str]]]:
    """Returns columns and whole rows; a last line without its end is left out."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            lines = file.read().split("\n")[:-1]
        columns, *rows = list(csv.reader(lines)) or [[]]
        _check_rows(columns, rows)
    except OSError as error:
        raise RunFilesError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, csv.Error) as error:
        raise RunFilesError(
            f"{path} is not a metrics file of this program ({error}): move it away, or "
            "choose another folder"
        ) from error
    return columns, [dict(zip(columns, row, strict=True)) for row in rows]


def _check_rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if columns and FRAMES not in columns:
        raise ValueError(f"it has no column {FRAMES!r}")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(columns):
            raise ValueError(f"line {number} has {len(row)} of {len(columns)} cells")
        float(row[columns.index(FRAMES)])
        for cell in row:
            float(cell or "nan")


def _csv_text(
    columns: Sequence[str], rows: Sequence[Mapping[str, str]], header: bool = True
) -> str:
    if not columns:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _format_cell(value: float) -> str:
    """Frames stay exact; seven digits hold a float32 metric."""
    value = float(value)
    return str(int(value)) if value.is_integer() else f"{value:.7g}"


def _replace(path: str, text: str) -> None:
    """Writes a file so that at any moment it is either the old or the new one."""
    temporary = f"{path}.new"
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise _unwritable(path, error) from error


def _unwritable(path: str, error: OSError) -> RunFilesError:
    return RunFilesError(
        f"cannot write {path}: {error.strerror or error} (free some space, or choose "
        "another folder)"
    )
