"""TensorBoard's events of a run, written without TensorFlow.

Its records are written through its protocol buffers: TensorFlow costs half a gigabyte
and many seconds to import.
"""

import math
import os
import re
import socket
import time
from collections.abc import Mapping
from typing import Any, Protocol

from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer import record_writer

_NAME = re.compile(r"events\.out\.tfevents\.(\d+)\.(\d{9})\.")


class File(Protocol):
    """Where events are appended."""

    def write(self, data: bytes) -> None:
        """Writes all of `data` or raises."""


class Events:
    """Writes the events of one run; for one thread."""

    def __init__(self, file: File) -> None:
        """Begins a file of events.

        Args:
          file: empty, with a name of `next_name`.
        """
        self._records = record_writer.RecordWriter(file)
        self._write(file_version="brain.Event:2")

    def write_row(self, step: int, row: Mapping[str, float]) -> None:
        """Writes the finite values of one row at a step."""
        event = event_pb2.Event(wall_time=time.time(), step=step)
        for name, value in row.items():
            if math.isfinite(value):
                event.summary.value.add(tag=name, simple_value=value)
        self._records.write(event.SerializeToString())

    def restart(self, step: int) -> None:
        """Has TensorBoard drop what earlier files of the folder have from `step` on."""
        self._write(
            step=step,
            session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START),
        )

    def _write(self, **fields: Any) -> None:
        event = event_pb2.Event(wall_time=time.time(), **fields)
        self._records.write(event.SerializeToString())


def next_name(logdir: str) -> str:
    """Returns a file name after those that are in `logdir`.

    TensorBoard reads a folder's event files in the order of their names.
    """
    now = time.time_ns()
    for name in os.listdir(logdir):
        earlier = _NAME.match(name)
        if earlier:
            # The clock may have been set back since.
            now = max(now, int(earlier[1]) * 10**9 + int(earlier[2]) + 1)
    seconds, nanoseconds = divmod(now, 10**9)
    return (
        f"events.out.tfevents.{seconds:010d}.{nanoseconds:09d}"
        f".{socket.gethostname()}.{os.getpid()}"
    )
