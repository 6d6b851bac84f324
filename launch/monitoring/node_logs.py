"""What nodes log: a line of JSON each, with the node's name, and no endless repeats.

  {"time": "2026-11-26T13:20:01.123+00:00", "level": "WARNING", "node": "actor/0",
   "place": "learner.py:330", "message": "..."}

An exception that ends a process is such a line as well, with its "traceback".
"""

import contextlib
import datetime
import json
import logging
import os
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable, Iterator
from typing import Any

from absl import logging as absl_logging

# Of one place in the code and one node, within a while. More are only counted.
MOST_REPEATS = 5
REPEATS_SECONDS = 60.0

_FIELDS = ("time", "level", "node", "place", "message")


class _Names(threading.local):
    """Which node's work the current thread does; empty: that of the process."""

    name = ""


_of_thread = _Names()
_of_process = _Names.name


@contextlib.contextmanager
def work_of(node: str) -> Iterator[None]:
    """Logs what this thread does within as that node's.

    The name of the process comes before it where that is another: member/3/actor/0.

    Args:
      node: e.g. 'actor/0'.
    """
    before, _of_thread.name = _of_thread.name, node
    try:
        yield
    finally:
        _of_thread.name = before


def begin(node: str) -> None:
    """Logs from now on as that node, in JSON; from warnings on.

    Args:
      node: of this process, e.g. 'actor/0'.
    """
    global _of_process
    _of_process = node
    handler = _prepare(_Json())
    absl_logging.use_absl_handler()
    absl_logging.set_verbosity(absl_logging.WARNING)

    def log_failure(
        kind: type[BaseException],
        error: BaseException,
        trace: types.TracebackType | None,
    ) -> None:
        # Who ends it with a line of its own has said why.
        if not isinstance(error, SystemExit | KeyboardInterrupt):
            text = "".join(traceback.format_exception(kind, error, trace))
            absl_logging.error("%s: %s", kind.__name__, error, extra={"trace": text})
        handler.flush()

    sys.excepthook = log_failure
    threading.excepthook = lambda failed: log_failure(
        failed.exc_type,
        failed.exc_value or failed.exc_type(),
        failed.exc_traceback,
    )


def begin_for_people() -> None:
    """Logs from now on as words for the terminal; from warnings on."""
    _prepare(_Words())
    absl_logging.use_absl_handler()
    absl_logging.set_verbosity(absl_logging.WARNING)


def in_words(line: str) -> str:
    """Returns a line of a node's log for people: the JSON's words, or the line itself.

    Args:
      line: without its end.
    """
    try:
        entry = json.loads(line)
        words = f"{entry['level']} {entry['message']} ({entry['place']})"
        trace = entry.get("traceback", "")
    except (ValueError, TypeError, KeyError, AttributeError):
        return line
    return "\n".join([words, *trace.splitlines()])


def _prepare(formatter: logging.Formatter) -> logging.Handler:
    handler = absl_logging.get_absl_handler().python_handler
    handler.setFormatter(formatter)
    for each in [each for each in handler.filters if isinstance(each, NoRepeats)]:
        handler.removeFilter(each)
    handler.addFilter(NoRepeats())
    return handler


class NoRepeats(logging.Filter):
    """Lets no more than MOST_REPEATS lines of one place through in a while.

    The next one that comes through says how many did not.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begins.

        Args:
          clock: seconds, which no change of the date moves.
        """
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        # By place and node: when the while began, and what came in it.
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether a line goes through; gives it `held_back`.

        Args:
          record: of the line.
        """
        key = (record.pathname, record.lineno, _node())
        now = self._clock()
        with self._lock:
            began, count = self._seen.get(key, (now, 0))
            held_back = 0
            if now - began >= REPEATS_SECONDS:
                held_back = max(count - MOST_REPEATS, 0)
                began, count = now, 0
            self._seen[key] = began, count + 1
        record.held_back = held_back
        return count < MOST_REPEATS


def _node() -> str:
    names = dict.fromkeys(name for name in (_of_process, _of_thread.name) if name)
    return "/".join(names)


def _message(record: logging.LogRecord) -> str:
    held_back = getattr(record, "held_back", 0)
    more = f" (and {held_back} more such lines before)" if held_back else ""
    return record.getMessage() + more


def _place(record: logging.LogRecord) -> str:
    return f"{os.path.basename(record.pathname)}:{record.lineno}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        date = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        values = (
            date.isoformat(timespec="milliseconds"),
            record.levelname,
            _node(),
            _place(record),
            _message(record),
        )
        entry: dict[str, Any] = dict(zip(_FIELDS, values, strict=True))
        trace = getattr(record, "trace", "")
        if record.exc_info:
            trace = self.formatException(record.exc_info)
        if trace:
            entry["traceback"] = trace
        return json.dumps(entry)


class _Words(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        clock = datetime.datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        node = _node()
        name = f"[{node}] " if node else ""
        words = [f"{clock} {name}{record.levelname} {_message(record)}"]
        if record.exc_info:
            words.append(self.formatException(record.exc_info))
        return "\n".join(words)
