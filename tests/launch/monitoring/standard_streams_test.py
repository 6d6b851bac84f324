"""A program whose standard streams are missing, full or of few letters goes on."""

import subprocess
import sys

from absl.testing import absltest, parameterized

_PROGRAM = """
import os, sys
from launch.monitoring import standard_streams
standard_streams.make_safe()
standard_streams.make_safe()
opened = os.open(os.devnull, os.O_RDONLY)
assert opened > 2, opened
print("λ", flush=True)
print("λ", file=sys.stderr, flush=True)
os._exit(3)
"""
_WITHOUT_FLUSHING = """
import os, sys
from launch.monitoring import standard_streams
standard_streams.make_safe()
print("line")
print("line", file=sys.stderr)
os._exit(0)
"""


def _run(
    redirections: str, program: str = _PROGRAM, **variables: str
) -> subprocess.CompletedProcess:
    command = f'exec "$0" -c "$1" {redirections}'
    return subprocess.run(
        ["sh", "-c", command, sys.executable, program],
        capture_output=True,
        env={"PYTHONPATH": ":".join(sys.path), **variables},
    )


class StandardStreamsTest(parameterized.TestCase):
    @parameterized.parameters(
        "<&-",
        ">&-",
        "2>&-",
        "<&- >&- 2>&-",
        ">/dev/full",
        ">/dev/full 2>/dev/full",
        "| true",
    )
    def test_nothing_is_lost_but_what_was_written(self, redirections: str) -> None:
        result = _run(redirections)
        self.assertNotIn(b"Error", result.stderr)
        if "|" not in redirections:
            self.assertEqual(result.returncode, 3, result.stderr)

    def test_letters_that_are_there_are_written(self) -> None:
        result = _run("", PYTHONIOENCODING="utf-8")
        self.assertEqual(result.stdout.decode(), "λ\n")
        self.assertEqual(result.stderr.decode(), "λ\n")

    def test_others_are_replaced(self) -> None:
        result = _run("", PYTHONIOENCODING="ascii")
        self.assertEqual((result.stdout, result.stderr), (b"?\n", b"?\n"))

    def test_lines_of_an_unbuffered_python_are_written_at_once(self) -> None:
        result = _run("", _WITHOUT_FLUSHING, PYTHONUNBUFFERED="1")
        self.assertEqual((result.stdout, result.stderr), (b"line\n", b"line\n"))

    def test_lines_of_errors_are_written_at_once(self) -> None:
        result = _run("", _WITHOUT_FLUSHING)
        self.assertEqual(result.stderr, b"line\n")


if __name__ == "__main__":
    absltest.main()
