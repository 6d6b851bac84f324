"""What a run leaves for a person: config.json, metrics.csv, TensorBoard events.

Events are written where TensorBoard is installed: somebody's own training loop on the
library needs none of it.
"""

import importlib.util
import json
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from kickstarting.reporting import metrics_file, whole_writes
from kickstarting.reporting.metrics_file import FRAMES
from kickstarting.storage import provenance

CONFIG_FILE = "config.json"
STARTS_FOLDER = "starts"
METRICS_FILE = "metrics.csv"

RunFilesError = whole_writes.RunFilesError


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
            raise whole_writes.unwritable(logdir, error) from error
        self._config_path = os.path.join(logdir, CONFIG_FILE)
        self._metrics = metrics_file.MetricsFile(os.path.join(logdir, METRICS_FILE))
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
        content = f"{text}\n".encode()
        whole_writes.replace(self._config_path, [content])
        starts = os.path.join(os.path.dirname(self._config_path), STARTS_FOLDER)
        try:
            os.makedirs(starts, exist_ok=True)
            number = len(os.listdir(starts)) + 1
        except OSError as error:
            raise whole_writes.unwritable(starts, error) from error
        whole_writes.replace(os.path.join(starts, f"{number}.json"), [content])

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
        self._metrics.write(row)
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
        self._metrics.cut_after(frames)
        if self._events is not None:
            self._events.restart(frames + 1)

    def close(self) -> None:
        """Closes the files; safe to call twice."""
        self._metrics.close()
        if self._events_file is not None:
            self._events_file.close()


def append(path: str, text: str) -> None:
    """Appends to a file, which is made where it is missing, the whole text or nothing.

    Args:
      path: of the file.
      text: whole lines.

    Raises:
      RunFilesError: it cannot be written.
    """
    file = whole_writes.AppendedFile(path)
    try:
        file.write(text.encode())
    finally:
        file.close()


def read_metrics(
    path: str, columns: Collection[str] | None = None
) -> dict[str, np.ndarray]:
    """Reads a metrics.csv, also one that is being written.

    Args:
      path: of the file, or of the run's folder.
      columns: that are wanted; a name that ends with a slash stands for all that begin
        so, e.g. of every task. None for all of them.

    Returns:
      float64 [rows] for each of them that the file has, and for `frames`; NaN where a
      row has no value.

    Raises:
      RunFilesError: the file cannot be read, or is not a metrics.csv.
    """
    return metrics_file.read(_in_folder(path), columns)


def newest_row(path: str) -> dict[str, float]:
    """Reads the last row of a metrics.csv, and of the rest as little as can be.

    Args:
      path: of the file, or of the run's folder.

    Returns:
      its values by column, NaN where it has none; nothing where there is no row yet.

    Raises:
      RunFilesError: the file cannot be read, or is not a metrics.csv.
    """
    return metrics_file.newest(_in_folder(path))


def _in_folder(path: str) -> str:
    return os.path.join(path, METRICS_FILE) if os.path.isdir(path) else path


def _begin_events(logdir: str) -> tuple[whole_writes.AppendedFile | None, Any]:
    """Returns a file of events and what writes to it, or Nones without TensorBoard."""
    if importlib.util.find_spec("tensorboard") is None:
        return None, None
    from kickstarting.reporting import tensorboard_events

    name = tensorboard_events.next_name(logdir)
    file = whole_writes.AppendedFile(os.path.join(logdir, name))
    return file, tensorboard_events.Events(file)
