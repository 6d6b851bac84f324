"""A virtual environment is made once, and its failure is one line."""

import pathlib

from absl.testing import absltest

from benchmarks.comparison import virtual_environments
from kickstarting.config import run as config

# Stands in for a Python: as `-m venv --clear FOLDER` it copies itself there.
_PYTHON = """#!/bin/sh
echo "$@" >> {calls}
if [ "$2" = venv ]; then mkdir -p "$4/bin" && cp "$0" "$4/bin/python"; exit; fi
if grep -q unheard "$6"; then echo "ERROR: No matching distribution"; exit 1; fi
"""


class VirtualEnvironmentsTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.calls = self.folder / "calls"
        self.python = self.folder / "python"
        self.python.write_text(_PYTHON.format(calls=self.calls))
        self.python.chmod(0o755)
        self.pins = self.folder / "pins.txt"
        self.pins.write_text("one==1.0\n")

    def _ensure(self, python: str = "") -> str:
        return virtual_environments.ensure(
            "sb3", str(self.pins), str(self.folder / "all"), python or str(self.python)
        )

    def test_it_is_made_once_for_its_pins(self) -> None:
        interpreter = self._ensure()
        self.assertEqual(interpreter, str(self.folder / "all/sb3/bin/python"))
        self.assertIn(f"install --no-input -r {self.pins}", self.calls.read_text())
        self.assertEqual(self._ensure(), interpreter)
        self.assertLen(self.calls.read_text().splitlines(), 2)
        self.pins.write_text("one==1.1\n")
        self._ensure()
        self.assertLen(self.calls.read_text().splitlines(), 4)

    def test_what_was_not_finished_is_made_again(self) -> None:
        self.pins.write_text("unheard==1.0\n")
        for _ in range(2):
            with self.assertRaisesRegex(
                config.ConfigError, "environment of sb3 .*: ERROR: No matching"
            ):
                self._ensure()
        self.assertLen(self.calls.read_text().splitlines(), 4)

    def test_a_python_that_is_not_there(self) -> None:
        with self.assertRaisesRegex(config.ConfigError, "No such file.*--peer_python"):
            self._ensure("/nowhere/python3.11")


if __name__ == "__main__":
    absltest.main()
