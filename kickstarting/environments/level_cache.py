"""DeepMind Lab's compiled maps on disk, shared by all workers that see the folder.

Compiling a map takes up to a minute and holds up its environment. A map is written
under a temporary name beside its place and renamed, so that no reader, on this host or
on another one that mounts the folder, sees half of it. The ledger says which maps were
written and evicted; its lock makes sure that one worker at a time evicts.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import json
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


@dataclasses.dataclass(frozen=True)
class Record:
    """A line of the ledger.

    Attributes:
      event: 'write' or 'evict'.
      file: name of the map's file in the cache's folder.
      size: of the file, in bytes.
      origin: the level and the seed that asked for the map; empty for 'evict'.
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
      origin: the level and the seed that are being loaded, for the ledger.
    """

    def __init__(self, folder: str, max_bytes: int) -> None:
        """Uses a folder, which is made where it is missing.

        Args:
          folder: of the cache; a leading ~ is the home folder.
          max_bytes: of all maps together; the least recently used are evicted.

        Raises:
          base.EnvironmentConfigError: the folder cannot be written to.
        """
        check_writable(folder)
        self.origin = ""
        self._folder = os.path.expanduser(folder)
        self._max_bytes = max_bytes

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
                logging.warning("The level cache cannot be read: %s", error)
            return False
        # The time of last use, by which maps are evicted.
        with contextlib.suppress(OSError):
            os.utime(entry)
        return True

    def write(self, key: str, pk3_path: str) -> None:
        """Keeps the map at `pk3_path` as that of `key`, and evicts what is too much."""
        entry = self._path(key)
        try:
            _copy_whole(pk3_path, entry)
            self._record_and_evict(entry)
        except OSError as error:
            logging.warning("The level cache cannot be written: %s", error)

    def _path(self, key: str) -> str:
        name = hashlib.sha256(key.encode()).hexdigest()
        return os.path.join(self._folder, name + _SUFFIX)

    def _record_and_evict(self, entry: str) -> None:
        with _locked_ledger(self._folder, "a") as ledger:
            # Another worker may have evicted it meanwhile.
            with contextlib.suppress(FileNotFoundError):
                _append(ledger, "write", entry, os.path.getsize(entry), self.origin)
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


def check_writable(folder: str) -> None:
    """Makes the folder of a cache and tries it.

    Raises:
      base.EnvironmentConfigError: it cannot be written to.
    """
    path = os.path.expanduser(folder)
    try:
        os.makedirs(path, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"kickstarting")
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
    """Returns what happened to a cache, oldest first."""
    path = os.path.expanduser(folder)
    if not os.path.exists(os.path.join(path, LEDGER)):
        return []
    with _locked_ledger(path, "r") as ledger:
        return [Record(**json.loads(line)) for line in ledger]


@contextlib.contextmanager
def _locked_ledger(folder: str, mode: str) -> Iterator[IO[str]]:
    with open(os.path.join(folder, LEDGER), mode, encoding="utf-8") as ledger:
        # A POSIX lock, which NFS passes on to its server; closing releases it.
        fcntl.lockf(ledger, fcntl.LOCK_SH if mode == "r" else fcntl.LOCK_EX)
        yield ledger


def _append(ledger: IO[str], event: str, path: str, size: int, origin: str) -> None:
    record = Record(event, os.path.basename(path), size, origin, time.time())
    ledger.write(json.dumps(dataclasses.asdict(record)) + "\n")


def _copy_whole(source: str, target: str) -> None:
    descriptor, partial = tempfile.mkstemp(
        dir=os.path.dirname(target), prefix=_PARTIAL_PREFIX
    )
    try:
        with os.fdopen(descriptor, "wb") as out, open(source, "rb") as content:
            shutil.copyfileobj(content, out)
            out.flush()
            # A host that crashes must not leave a name without its content.
            os.fsync(out.fileno())
        # Other users of a shared folder read it, too.
        os.chmod(partial, 0o644)
        os.replace(partial, target)
    except OSError:
        _unlink(partial)
        raise


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
