"""What workers write to standard error comes once, to where the parent's goes."""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import IO
from unittest import mock

from absl.testing import absltest

from kickstarting.environments.stepping import told_once
from tests.environments import worker_batches

_SECONDS = 30.0


@contextlib.contextmanager
def _standard_error() -> Iterator[IO[bytes]]:
    """Sends descriptor 2 to a file within the block."""
    before = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield file
        finally:
            os.dup2(before, 2)
            os.close(before)


def _lines(file: IO[bytes]) -> list[str]:
    for thread in threading.enumerate():
        if thread.name == "environments' errors":
            thread.join(_SECONDS)
    file.seek(0)
    return file.read().decode().splitlines()


class ToldOnceTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enter_context(mock.patch.object(told_once, "_told", set()))

    def test_each_line_comes_once_and_without_colours(self) -> None:
        with _standard_error() as file:
            listener = told_once.Listener()
            said = b"\x1b[31mwarns\x1b[0m\n\nwarns\nother\nwarns\nno end"
            for start in range(0, len(said), 7):
                os.write(listener.descriptor, said[start : start + 7])
            listener.close()
            self.assertEqual(_lines(file), ["warns", "other", "no end"])

    def test_a_line_without_an_end_is_not_kept_for_ever(self) -> None:
        with _standard_error() as file:
            listener = told_once.Listener()
            os.write(listener.descriptor, b"x" * 200_000)
            listener.close()
            self.assertEqual({line[0] for line in _lines(file)}, {"x"})

    def test_what_says_something_else_for_ever_is_left_out_at_last(self) -> None:
        self.enter_context(mock.patch.object(told_once, "MOST_LINES", 3))
        with _standard_error() as file:
            for number in range(9):
                told_once.tell(f"line {number}")
            *lines, last = _lines(file)
        self.assertEqual(lines, ["line 0", "line 1", "line 2"])
        self.assertIn("left out", last)

    def test_nobody_reads_standard_error(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        before = os.dup(2)
        os.dup2(writer, 2)
        try:
            told_once.tell("nobody reads this")
        finally:
            os.dup2(before, 2)
            os.close(before)
            os.close(writer)

    def test_lines_that_processes_write_piece_by_piece(self) -> None:
        # As print does where PYTHONUNBUFFERED is set.
        code = "import os; [os.write(2, x) for x in (b'one ', b'line', b'\\n') * 200]"
        with _standard_error() as file:
            listener = told_once.Listener()
            processes = [
                subprocess.Popen(
                    (sys.executable, "-c", code), stderr=listener.descriptor
                )
                for _ in range(4)
            ]
            listener.close()
            for process in processes:
                self.assertEqual(process.wait(), 0)
            self.assertEqual(_lines(file), ["one line"])

    def test_workers_of_two_batches(self) -> None:
        script = {"prints": "deprecated", "length": 1}
        with _standard_error() as file:
            for _ in range(2):
                batch = worker_batches.scripted_batch(script, script)
                try:
                    batch.start()
                    worker_batches.wait_for(batch, (0, 1))
                    worker_batches.step(batch, [0, 1], slot=0, position=1)
                    worker_batches.wait_for(batch, (0, 1))
                finally:
                    batch.close()
            self.assertEqual(_lines(file), ["deprecated"])


if __name__ == "__main__":
    absltest.main()
