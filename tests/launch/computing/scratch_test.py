"""What is left in the folder for temporary files goes with the process."""

import os
import pathlib
import signal
import subprocess
import sys

from absl.testing import absltest, parameterized

_LEAVE = """
import os, signal, subprocess, sys, tempfile
from launch.flags import command_line

def main(argv):
    # As a worker that is killed leaves it.
    tempfile.mkdtemp()
    subprocess.run(["sh", "-c", 'echo left > "$TMPDIR/left"'])
    assert len(os.listdir(os.environ["TMPDIR"])) == 2
    {end}

command_line.run(main)
"""


class ScratchTest(parameterized.TestCase):
    @parameterized.parameters(
        ("return 0", 0),
        ("raise ValueError('a fault')", 1),
        ("signal.raise_signal(signal.SIGINT)", 128 + signal.SIGINT),
    )
    def test_nothing_is_left(self, end: str, status: int) -> None:
        folder = pathlib.Path(self.create_tempdir("temporary").full_path)
        done = subprocess.run(
            [sys.executable, "-c", _LEAVE.format(end=end)],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "TMPDIR": str(folder),
                # Without a home it has one in the folder, for all of a user's runs.
                "MPLCONFIGDIR": self.create_tempdir("drawing").full_path,
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEmpty(list(folder.iterdir()))

    def test_where_no_file_can_be_made_one_line_says_so(self) -> None:
        check = "from launch.computing import scratch; scratch.check()"
        read_only = "mount -t tmpfs -o ro tmpfs"
        script = f'{read_only} /tmp; {read_only} /var/tmp; cd /proc; exec "$0" "$@"'
        done = subprocess.run(
            ["unshare", "--mount", "bash", "-ec", script, sys.executable, "-c", check],
            env={
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", ""),
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 2, done.stderr)
        (line,) = done.stderr.splitlines()
        self.assertStartsWith(line, "no folder for temporary files can be written to")


if __name__ == "__main__":
    absltest.main()
