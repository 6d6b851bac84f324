"""DeepMind Lab's compiled maps on disk, shared by all workers that see the folder.

Compiling a map takes up to a minute and holds up its environment. A map is written
under a temporary name beside its place and renamed, so that no reader, on this host or
on another one that mounts the folder, sees half of it. The ledger says which maps were
written and evicted, for as long as it is short; its lock makes sure that one worker at
a time evicts.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from typing import IO

from absl import logging

from kickstarting.environments import base

LEDGER = "ledger.jsonl"

_SUFFIX = ".pk3"
_PARTIAL_PREFIX = ".partial-"
# No copy takes this long: its writer was killed.
_ABANDONED_SECONDS = 3600.0
# The older half of a longer ledger is dropped.
_MAX_LEDGER_BYTES = 16 * 2**20
# A folder of many thousand maps is slow to list: while a worker knows of less than this
# share of the bound, it does so once in a while alone.
_LISTED_SHARE = 0.5
_LIST_PERIOD_SECONDS = 60.0
_WARNING_PERIOD_SECONDS = 60.0


@dataclasses.dataclass(frozen=True)
class Record:
    """A line of the ledger.

    Attributes:
      event: 'write' or 'evict'.
      file: name of the map's file in the cache's folder.
      size: of the file, in bytes.
      origin: the level and the seed that asked for the map, and whether in a step of
        an episode; empty for 'evict'.
      seconds: since the epoch.
    """

    event: str
    file: str
    size: int
    origin: str
    seconds: float


class LevelCache:
    """What DeepMind Lab asks for maps before it compiles them.

    A cache that fails is reported in the log and passed over, for the map can be
    compiled: no method raises OSError.

    Attributes:
      origin: the level and the seed that are played, for the ledger.
    """

    def __init__(self, folder: str, max_bytes: int) -> None:
        """Uses a folder, which is made where it is missing.

        Args:
          folder: of the cache; a leading ~ is the home folder.
          max_bytes: of all maps together; the least recently used are evicted.

        Raises:
          base.EnvironmentConfigError: the folder cannot be read or written.
        """
        check_usable(folder)
        self.origin = ""
        self._folder = os.path.expanduser(folder)
        self._max_bytes = max_bytes
        self._known_bytes = 0
        self._listed_seconds = -math.inf

    def fetch(self, key: str, pk3_path: str) -> bool:
        """Copies the map of `key` to `pk3_path`; returns whether there was one."""
        entry = self._path(key)
        try:
            shutil.copyfile(entry, pk3_path)
        except OSError as error:
            # Half a map would be taken for a whole one.
            with contextlib.suppress(OSError):
                os.unlink(pk3_path)
            if not isinstance(error, FileNotFoundError):
                _warn("The level cache cannot be read: %s", error)
            return False
        # The time of last use, by which maps are evicted.
        with contextlib.suppress(OSError):
            os.utime(entry)
        return True

    def write(self, key: str, pk3_path: str) -> None:
        """Keeps the map at `pk3_path` as that of `key`, and evicts what is too much."""
        entry = self._path(key)
        try:
            size = _copy_whole(pk3_path, entry)
            with _locked_ledger(self._folder, exclusive=True) as ledger:
                _append(ledger, "write", entry, size, self.origin)
                self._known_bytes += size
                if self._must_list():
                    self._evict(ledger)
        except OSError as error:
            _warn("The level cache cannot be written: %s", error)

    def _path(self, key: str) -> str:
        name = hashlib.sha256(key.encode()).hexdigest()
        return os.path.join(self._folder, name + _SUFFIX)

    def _must_list(self) -> bool:
        return (
            self._known_bytes > _LISTED_SHARE * self._max_bytes
            or time.monotonic() - self._listed_seconds > _LIST_PERIOD_SECONDS
        )

    def _evict(self, ledger: IO[str]) -> None:
        maps, abandoned = _files(self._folder)
        for path in abandoned:
            _unlink(path)
        total = sum(status.st_size for _, status in maps)
        for path, status in sorted(maps, key=lambda each: each[1].st_mtime_ns):
            if total <= self._max_bytes:
                break
            _unlink(path)
            total -= status.st_size
            _append(ledger, "evict", path, status.st_size, "")
        self._known_bytes = total
        self._listed_seconds = time.monotonic()


def check_usable(folder: str) -> None:
    """Makes the folder of a cache and tries to write, to lock and to read there.

    Raises:
      base.EnvironmentConfigError: one of them failed.
    """
    path = os.path.expanduser(folder)
    try:
        os.makedirs(path, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"kickstarting")
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with os.scandir(path):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise base.EnvironmentConfigError(
            f"cannot write to the level cache {folder!r}: {reason}; choose another "
            "--level_cache"
        ) from error


def size(folder: str) -> tuple[int, int]:
    """Returns how many maps a cache holds, and their bytes."""
    maps, _ = _files(os.path.expanduser(folder))
    return len(maps), sum(status.st_size for _, status in maps)


def read_ledger(folder: str) -> list[Record]:
    """Returns what happened to a cache of late, oldest first."""
    path = os.path.expanduser(folder)
    if not os.path.exists(os.path.join(path, LEDGER)):
        return []
    with _locked_ledger(path, exclusive=False) as ledger:
        records = map(_parse, ledger)
        return [record for record in records if record is not None]


def _parse(line: str) -> Record | None:
    try:
        return Record(**json.loads(line))
    except (ValueError, TypeError):
        # A full disk, or a host that crashed, cuts a line short.
        return None


@contextlib.contextmanager
def _locked_ledger(folder: str, exclusive: bool) -> Iterator[IO[str]]:
    """Opens the ledger, to append to or to read, and holds its lock meanwhile."""
    path, mode = os.path.join(folder, LEDGER), "a+" if exclusive else "r"
    with open(path, mode, encoding="utf-8", errors="replace") as ledger:
        # A POSIX lock, which NFS passes on to its server; closing releases it.
        fcntl.lockf(ledger, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        if exclusive and os.fstat(ledger.fileno()).st_size > _MAX_LEDGER_BYTES:
            _shorten(ledger)
        yield ledger


def _shorten(ledger: IO[str]) -> None:
    # In place: another file under this name would have a lock of its own.
    ledger.seek(0)
    lines = ledger.readlines()
    ledger.truncate(0)
    ledger.writelines(lines[len(lines) // 2 :])
    ledger.flush()


def _append(ledger: IO[str], event: str, path: str, size: int, origin: str) -> None:
    record = Record(event, os.path.basename(path), size, origin, time.time())
    ledger.write(json.dumps(dataclasses.asdict(record)) + "\n")


def _warn(message: str, error: OSError) -> None:
    # Each of many workers meets a full disk at each of its maps.
    logging.log_every_n_seconds(
        logging.WARNING, message, _WARNING_PERIOD_SECONDS, error
    )


def _copy_whole(source: str, target: str) -> int:
    """Copies a file under a name that it gets when it is whole; returns its bytes."""
    descriptor, partial = tempfile.mkstemp(
        dir=os.path.dirname(target), prefix=_PARTIAL_PREFIX
    )
    try:
        with os.fdopen(descriptor, "wb") as out, open(source, "rb") as content:
            shutil.copyfileobj(content, out)
            out.flush()
            # A host that crashes must not leave a name without its content.
            os.fsync(out.fileno())
            size = out.tell()
        # Other users of a shared folder read it, too.
        os.chmod(partial, 0o644)
        os.replace(partial, target)
    except OSError:
        _unlink(partial)
        raise
    return size


def _files(folder: str) -> tuple[list[tuple[str, os.stat_result]], list[str]]:
    """Returns the maps with their status, and the copies that nobody will finish."""
    maps, abandoned = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            # Another worker may evict it while this one looks.
            with contextlib.suppress(FileNotFoundError):
                status = entry.stat()
                if entry.name.endswith(_SUFFIX):
                    maps.append((entry.path, status))
                elif entry.name.startswith(_PARTIAL_PREFIX) and (
                    time.time() - status.st_mtime > _ABANDONED_SECONDS
                ):
                    abandoned.append(entry.path)
    return maps, abandoned


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
