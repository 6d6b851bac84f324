"""Runs the library's tests with this interpreter: one line a file, then the counts.

Its arguments are test files; without any it takes all that are the library's and says
which it leaves out and why. Each file has a process of its own and a deadline. The last
line is `N passed, N failed`, in test cases; the status is 1 where anything failed.

What warns of a deprecation in the library or in a test fails: that the next JAX drops
something is to be known before it does.
"""

import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

from tools import count_test_cases, library_selection

# Tests start engines of their own, and compile; more at once only swap.
_AT_ONCE = 2
DEADLINE_SECONDS = 600.0


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of one test file.

    Attributes:
      passed: test cases.
      failed: test cases; 1 for a process that died without telling of any.
      seconds: it took.
      output: of the process, both streams.
      is_late: whether it was ended at its deadline.
    """

    passed: int
    failed: int
    seconds: float
    output: str
    is_late: bool = False


class Runner:
    """Runs test files, each in a process of its own, from any thread."""

    def __init__(
        self, root: pathlib.Path, deadline_seconds: float = DEADLINE_SECONDS
    ) -> None:
        """Starts nothing yet.

        Args:
          root: of the repository.
          deadline_seconds: after which a test is killed.
        """
        self._root = root
        self._deadline_seconds = deadline_seconds
        self._environment = {
            **os.environ,
            "JAX_PLATFORMS": "cpu",
            "PYTHONPATH": str(root),
            "PYTHONWARNINGS": _deprecations_as_errors(root),
        }
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen] = set()
        self._is_ended = False

    def run(self, test: pathlib.Path) -> Result:
        """Runs one test file, given by its path from the root, to its end."""
        start = time.monotonic()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            cases = os.path.join(folder, "test.xml")
            # No pipe, which a child that outlives the test would hold open.
            said = pathlib.Path(folder, "output")
            with said.open("wb") as output, self._lock:
                if self._is_ended:
                    return Result(0, 1, 0.0, "")
                process = subprocess.Popen(
                    [sys.executable, str(test), f"--xml_output_file={cases}"],
                    cwd=self._root,
                    env={**self._environment, "TEST_TMPDIR": folder},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                self._running.add(process)
            is_late = False
            try:
                process.wait(self._deadline_seconds)
            except subprocess.TimeoutExpired:
                is_late = True
            _kill_group(process)
            process.wait()
            with self._lock:
                self._running.remove(process)
            passed, failed = count_test_cases.count_cases(cases)
            text = said.read_text(errors="replace")
        # The process may fail although each of its cases passed; and no case is no
        # pass.
        if process.returncode or not passed:
            failed = max(failed, 1)
        return Result(passed, failed, time.monotonic() - start, text, is_late)

    def end(self) -> None:
        """Kills what runs; what comes later never starts."""
        with self._lock:
            self._is_ended = True
            for process in self._running:
                _kill_group(process)


def _kill_group(process: subprocess.Popen) -> None:
    """Kills a test and what it started and left behind."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _deprecations_as_errors(root: pathlib.Path) -> str:
    """Returns PYTHONWARNINGS; it names modules in full and knows no pattern."""
    modules = ["__main__"]
    for path in (root / "kickstarting").rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        modules.append(".".join(parts).removesuffix(".__init__"))
    return ",".join(f"error::DeprecationWarning:{module}" for module in modules)


def line(test: pathlib.Path, result: Result) -> str:
    """Returns one line about a test file."""
    if result.is_late:
        word = "TIMEOUT"
    else:
        word = "FAILED" if result.failed else "PASSED"
    return (
        f"{word:8}{test}: {result.passed} passed, {result.failed} failed, "
        f"{result.seconds:.1f} s"
    )


def main(arguments: list[str]) -> int:
    """Runs the tests that are named, or all of the library; returns the status."""
    root = pathlib.Path.cwd()
    left_out: tuple[tuple[pathlib.Path, str], ...] = ()
    if arguments:
        tests = tuple(pathlib.Path(argument) for argument in arguments)
        for test in tests:
            if not (root / test).is_file():
                print(f"library_tests: there is no file {test}", file=sys.stderr)
                return 2
    else:
        tests, left_out = dataclasses.astuple(library_selection.select(root))
    passed = failed = 0
    runner = Runner(root)
    with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as threads:
        running = {threads.submit(runner.run, test): test for test in tests}
        try:
            for future in concurrent.futures.as_completed(running):
                result = future.result()
                if result.failed:
                    print(result.output)
                print(line(running[future], result), flush=True)
                passed += result.passed
                failed += result.failed
        # Ctrl-C does not reach groups of their own.
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            runner.end()
    for test, reason in left_out:
        print(f"LEFT OUT {test}: {reason}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    # Ended as by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A shell's background job ignores it, and so would every test that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
