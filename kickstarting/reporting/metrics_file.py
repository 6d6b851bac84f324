"""metrics.csv: rows by their environment frames, which rise from one to the next.

It grows as long as a run does, so that nothing here reads more of it than it must: who
goes on with it looks at its first line and at its end, and who wants columns gets those
alone.
"""

import array
import csv
import io
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import IO, BinaryIO

import numpy as np

from kickstarting.reporting import whole_writes

# The column that every row has: environment frames, the x axis of every curve.
FRAMES = "frames"

# Of the file's end, at a time.
_BLOCK_BYTES = 2**20


class MetricsFile:
    """Appends rows to one file; for one thread."""

    def __init__(self, path: str) -> None:
        """Opens the file, which is made where it is missing.

        Half a row, which a run that was killed may have left at its end, is dropped.

        Args:
          path: of the file.

        Raises:
          RunFilesError: it cannot be written, or is not a metrics file.
        """
        self._path = path
        self._columns: list[str] = []
        size = 0
        if os.path.exists(path):
            with _open(path) as file:
                self._columns, size = _header(path, file)
                for begin, line in _rows_from_end(file, size):
                    _values(path, self._columns, line)
                    size = begin + len(line)
                    break
        self._file = whole_writes.AppendedFile(path)
        self._file.cut(size)

    def write(self, row: Mapping[str, float]) -> None:
        """Appends one row; a column that the file does not have yet is added to it.

        Args:
          row: must have `frames`.

        Raises:
          RunFilesError: the file cannot be written, and is left as it was.
        """
        new = [name for name in row if name not in self._columns]
        if new:
            self._add_columns(new)
        self._file.write(
            _line(_cell(row[name]) if name in row else "" for name in self._columns)
        )

    def cut_after(self, frames: int) -> None:
        """Drops the rows beyond `frames` environment frames.

        Raises:
          RunFilesError: the file cannot be read or written.
        """
        with _open(self._path) as file:
            columns, size = _header(self._path, file)
            for begin, line in _rows_from_end(file, size):
                if _frames(self._path, columns, line) <= frames:
                    size = begin + len(line)
                    break
        self._file.cut(size)

    def close(self) -> None:
        """Closes the file; safe to call twice."""
        self._file.close()

    def _add_columns(self, new: Sequence[str]) -> None:
        """Writes the file anew, line by line: columns are new at first, or never."""
        columns = [*self._columns, *new]

        def lines() -> Iterator[bytes]:
            yield _line(columns)
            with _open(self._path) as file:
                _header(self._path, file)
                for line in file:
                    yield line[:-1] + b"," * len(new) + b"\n"

        whole_writes.replace(self._path, lines())
        self._columns = columns
        self._file.close()
        self._file = whole_writes.AppendedFile(self._path)


def read(path: str, columns: Collection[str] | None) -> dict[str, np.ndarray]:
    """Reads columns; see run_files.read_metrics."""
    with _open(path) as binary, io.TextIOWrapper(binary, "utf-8", newline="\n") as file:
        rows = csv.reader(line for line in file if line.endswith("\n"))
        try:
            names = next(rows, [])
            _check_names(names)
            wanted = [
                (index, name, array.array("d"))
                for index, name in enumerate(names)
                if columns is None or name == FRAMES or _is_among(name, columns)
            ]
            for number, row in enumerate(rows, start=2):
                _check_count(f"line {number}", len(row), names)
                for index, _, values in wanted:
                    values.append(float(row[index] or "nan"))
            found = {name: np.array(values) for _, name, values in wanted}
            if np.isnan(found.get(FRAMES, 0.0)).any():
                raise ValueError(f"a row has no {FRAMES}")
        except (ValueError, csv.Error) as error:
            raise _foreign(path, error) from error
    return found


def newest(path: str) -> dict[str, float]:
    """Reads the last row; see run_files.newest_row."""
    with _open(path) as file:
        columns, begin = _header(path, file)
        for _, line in _rows_from_end(file, begin):
            return _values(path, columns, line)
    return {}


def _is_among(name: str, columns: Collection[str]) -> bool:
    return name in columns or name[: name.find("/") + 1] in columns


def _open(path: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        raise whole_writes.RunFilesError(
            f"cannot read {path}: {error.strerror or error}"
        ) from error


def _header(path: str, file: IO[bytes]) -> tuple[list[str], int]:
    """Returns the columns, and where the rows begin: none, and 0, of half a line."""
    line = file.readline()
    if not line.endswith(b"\n"):
        return [], 0
    try:
        names = _cells(line)
        _check_names(names)
    except (ValueError, csv.Error) as error:
        raise _foreign(path, error) from error
    return names, len(line)


def _rows_from_end(file: IO[bytes], begin: int) -> Iterator[tuple[int, bytes]]:
    """Yields where each whole row lies and its line, the last one first."""
    end = file.seek(0, os.SEEK_END)
    # Of a line whose beginning lies before `end`.
    rest = b""
    while end > begin:
        start = max(begin, end - _BLOCK_BYTES)
        file.seek(start)
        data = file.read(end - start) + rest
        first, *lines = data.split(b"\n")
        at = start + len(data)
        if lines:
            # Nothing, or a row that was never finished.
            at -= len(lines.pop())
            for line in reversed(lines):
                at -= len(line) + 1
                yield at, line + b"\n"
            first += b"\n"
            if start == begin:
                yield begin, first
        end, rest = start, first


def _cells(line: bytes) -> list[str]:
    return next(csv.reader([line.decode()]), [])


def _values(path: str, columns: Sequence[str], line: bytes) -> dict[str, float]:
    _frames(path, columns, line)
    try:
        cells = _cells(line)
        _check_count("a row", len(cells), columns)
        values = [float(cell or "nan") for cell in cells]
    except (ValueError, csv.Error) as error:
        raise _foreign(path, error) from error
    return dict(zip(columns, values, strict=True))


def _frames(path: str, columns: Sequence[str], line: bytes) -> float:
    index = columns.index(FRAMES)
    try:
        # All cells are numbers: none is quoted.
        return float(line.split(b",", index + 1)[index])
    except (ValueError, IndexError) as error:
        raise _foreign(path, ValueError(f"a row has no {FRAMES}")) from error


def _check_names(names: Sequence[str]) -> None:
    if names and FRAMES not in names:
        raise ValueError(f"it has no column {FRAMES!r}")


def _check_count(what: str, count: int, columns: Sequence[str]) -> None:
    if count != len(columns):
        raise ValueError(f"{what} has {count} of {len(columns)} cells")


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(list(cells))
    return text.getvalue().encode()


def _cell(value: float) -> str:
    """Frames stay exact; seven digits hold a float32 metric."""
    value = float(value)
    return str(int(value)) if value.is_integer() else f"{value:.7g}"


def _foreign(path: str, error: Exception) -> whole_writes.RunFilesError:
    return whole_writes.RunFilesError(
        f"{path} is not a metrics file of this program ({error}): move it away, or "
        "choose another folder"
    )
