"""The library's tests are told from the others, run one by one, and counted."""

import os
import pathlib
import shlex
import signal
import subprocess
import sys
import textwrap
import time

from absl.testing import absltest, parameterized

from tools import library_selection, library_tests

_HEAD = "from absl.testing import absltest\nfrom kickstarting import thing\n"
_PASSES = """
class ThingTest(absltest.TestCase):
    def test_one(self):
        self.assertEqual(thing.ONE, 1)

    def test_two(self):
        pass
"""
_MAIN = "absltest.main()\n"


class RepositoryTestCase(parameterized.TestCase):
    """Makes a repository with a library of one file, and tests."""

    def setUp(self) -> None:
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        self.write("kickstarting/__init__.py", "")
        self.write("kickstarting/thing.py", "ONE = 1\n")
        self.write("launch/program.py", "import launchpad\n")

    def write(self, path: str, text: str) -> pathlib.Path:
        """Writes a file; returns its path from the repository's root."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
        return pathlib.Path(path)


class SelectionTest(RepositoryTestCase):
    def test_the_library_is_told_from_what_is_imported(self):
        self.write("tests/plain_test.py", "from kickstarting import thing\n")
        self.write("tests/named_test.py", "NAME = 'kickstarting.thing:ONE'\n")
        self.write("tests/folder/helped_test.py", "from tests import helper\n")
        self.write("tests/helper.py", "import kickstarting.thing\n")
        self.write("tests/other_test.py", "import os\n")
        self.write("tests/queue_test.py", "import reverb, kickstarting.thing\n")
        self.write(
            "tests/started_test.py",
            "import kickstarting\nCOMMAND = ['python', '-m', 'launch.program']\n",
        )
        self.write(
            "tests/written_test.py",
            "import kickstarting\nCODE = 'import sys\\nimport tensorflow as tf'\n",
        )
        self.write("tests/far_test.py", "from tests import run\n")
        self.write("tests/run.py", "import kickstarting\nfrom launch import program\n")
        selection = library_selection.select(self.root)
        self.assertEqual(
            [str(path) for path in selection.kept],
            [
                "tests/folder/helped_test.py",
                "tests/named_test.py",
                "tests/plain_test.py",
            ],
        )
        self.assertEqual(
            {str(path): reason for path, reason in selection.left_out},
            {
                "tests/other_test.py": "imports nothing of kickstarting",
                "tests/queue_test.py": "imports reverb",
                "tests/started_test.py": "imports launch",
                "tests/written_test.py": "imports tensorflow",
                "tests/far_test.py": "imports launch by tests/run.py",
            },
        )


class RunTest(RepositoryTestCase):
    def _run(self, text: str, deadline_seconds: float = 60) -> library_tests.Result:
        test = self.write("tests/thing_test.py", text)
        return library_tests.Runner(self.root, deadline_seconds).run(test)

    def test_cases_are_counted(self):
        result = self._run(_HEAD + _PASSES + _MAIN)
        self.assertEqual((result.passed, result.failed), (2, 0), result.output)
        result = self._run((_HEAD + _PASSES + _MAIN).replace("ONE, 1", "ONE, 2"))
        self.assertEqual((result.passed, result.failed), (1, 1))
        self.assertIn("AssertionError: 1 != 2", result.output)

    def test_what_tells_of_no_case_has_failed(self):
        for text in ("", "import os; os._exit(0)\n", "raise SystemExit('no')\n"):
            result = self._run(text)
            self.assertEqual((result.passed, result.failed), (0, 1), text)

    def test_a_process_that_fails_after_its_cases_has_failed(self):
        result = self._run(
            _HEAD
            + _PASSES
            + "import atexit, os\natexit.register(os._exit, 7)\n"
            + _MAIN
        )
        self.assertEqual((result.passed, result.failed), (2, 1), result.output)

    def test_at_its_deadline_it_ends_with_what_it_started(self):
        result = self._run(
            """\
            import subprocess
            child = subprocess.Popen(['sleep', '1000'])
            print(child.pid, flush=True)
            child.wait()
            """,
            deadline_seconds=15,
        )
        self.assertEqual((result.passed, result.failed), (0, 1))
        self.assertTrue(result.is_late)
        self._check_gone(int(result.output))
        line = library_tests.line(pathlib.Path("tests/thing_test.py"), result)
        self.assertStartsWith(line, "TIMEOUT tests/thing_test.py: 0 passed, 1 failed, ")

    def _check_gone(self, pid: int) -> None:
        """Waits until a process, which somebody else reaps, has ended."""
        for _ in range(600):
            status = pathlib.Path(f"/proc/{pid}/status")
            if not status.exists() or "State:\tZ" in status.read_text():
                return
            time.sleep(0.1)
        self.fail(f"{pid} lives")

    @parameterized.parameters(signal.SIGINT, signal.SIGTERM)
    def test_a_run_that_is_broken_off_leaves_nothing(self, number):
        self.write(
            "tests/thing_test.py",
            """\
            import kickstarting, os, pathlib, time
            pathlib.Path("new").write_text(str(os.getpid()))
            pathlib.Path("new").rename("pid")
            time.sleep(1000)
            """,
        )
        run = subprocess.Popen(
            [sys.executable, library_tests.__file__],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(pathlib.Path.cwd())},
        )
        self.addCleanup(run.kill)
        for _ in range(600):
            if (self.root / "pid").exists():
                break
            time.sleep(0.1)
        run.send_signal(number)
        self.assertEqual(run.wait(60), 130)
        self._check_gone(int((self.root / "pid").read_text()))

    def test_tests_of_a_background_job_can_be_interrupted(self):
        self.write(
            "tests/interrupted_test.py",
            """
            import signal
            from absl.testing import absltest
            from kickstarting import thing

            class ThingTest(absltest.TestCase):
                def test_one(self):
                    handler = signal.getsignal(signal.SIGINT)
                    self.assertEqual(handler, signal.default_int_handler)

            absltest.main()
            """,
        )
        # As a shell starts it with `&`.
        command = shlex.join([sys.executable, "-m", "tools.library_tests"])
        done = subprocess.run(
            ["bash", "-c", f"trap '' INT; exec {command} tests/interrupted_test.py"],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": os.getcwd()},
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_deprecated_call_of_the_library_fails(self):
        self.write(
            "kickstarting/thing.py",
            """\
            import warnings

            def call():
                warnings.warn("old", DeprecationWarning)

            ONE = 1
            """,
        )
        calling = _PASSES.replace("pass\n", "thing.call()\n")
        result = self._run(_HEAD + calling + _MAIN)
        self.assertEqual((result.passed, result.failed), (1, 1), result.output)
        # Others' are theirs to mend.
        self.write(
            "kickstarting/thing.py", "from elsewhere import call as call\nONE = 1\n"
        )
        self.write(
            "elsewhere.py",
            """\
            import warnings

            def call():
                warnings.warn("old", DeprecationWarning)
            """,
        )
        result = self._run(_HEAD + calling + _MAIN)
        self.assertEqual((result.passed, result.failed), (2, 0), result.output)


if __name__ == "__main__":
    absltest.main()
