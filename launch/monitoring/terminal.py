"""Keeps what libraries print off the terminal, which belongs to the run's own words."""

import os
import sys
from typing import Any

from absl import logging

from launch.monitoring import standard_streams

NATIVE_LOG = "native.log"


def send_native_errors_to(directory: str) -> str:
    """Sends what C++ writes to standard error to a file; Python's own stays.

    Reverb logs every server and every client there, and cannot be told not to.

    Args:
      directory: where the file goes; made where it is missing.

    Returns:
      the file's path.
    """
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, NATIVE_LOG)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    sys.stderr.flush()
    sys.stderr = standard_streams.forgiving(os.dup(2), sys.stderr)
    # The handler keeps the stream that it was made with.
    logging.get_absl_handler().python_handler.setStream(sys.stderr)
    os.dup2(file, 2)
    os.close(file)
    return path


def quieten_launchpad() -> None:
    """Logs what Launchpad prints while it stops, instead of printing over the view."""
    from launchpad.launch import worker_manager

    def log(text: str = "", **unused: Any) -> None:
        del unused
        logging.info("%s", text)

    # The module's own name goes before the built-in function.
    worker_manager.print = log
