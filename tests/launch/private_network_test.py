"""A run's servers are out of reach of everything but the run."""

import pathlib
import socket
import subprocess
import sys
from unittest import mock

from absl.testing import absltest, parameterized

from launch import private_network
from tests.launch import program_run

_LISTENING = "0A"
# A network namespace alone takes the rights of root.
_NOT_AS_ROOT = """\
import os
from unittest import mock
from launch import private_network
unshare = private_network._unshare
def refused(flags):
    if flags == private_network._CLONE_NEWNET:
        raise PermissionError
    unshare(flags)
user = os.getuid(), os.getgid()
with mock.patch.object(private_network, "_unshare", refused):
    private_network.enter_if_wanted(["train"])
assert (os.getuid(), os.getgid()) == user
print(private_network.exposed, open("/proc/net/dev").read().count(":"))
"""
_WITH_A_THREAD = """\
import threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
"""


def _listening_ports(process: int | str) -> set[int]:
    """Returns the TCP ports on which anything listens in a process's network."""
    ports = set()
    for table in ("tcp", "tcp6"):
        text = pathlib.Path(f"/proc/{process}/net/{table}").read_text()
        for line in text.splitlines():
            fields = line.split()
            if fields[3] == _LISTENING:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


def _interfaces(process: int | str) -> list[str]:
    lines = pathlib.Path(f"/proc/{process}/net/dev").read_text().splitlines()
    return [line.partition(":")[0].strip() for line in lines if ":" in line]


class PrivateNetworkTest(parameterized.TestCase):
    def _python(self, text: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", text], capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    @parameterized.parameters("local_mt", "local_mp")
    def test_nobody_else_reaches_a_run(self, launch_type: str) -> None:
        logdir = f"{self.create_tempdir().full_path}/run"
        run = program_run.ProgramRun(
            self,
            *program_run.GRID_FLAGS,
            *program_run.SMALL_FLAGS,
            "--total_frames=1000000",
            f"--lp_launch_type={launch_type}",
            f"--logdir={logdir}",
        )
        run.wait_for_frames(logdir, 100)
        own = pathlib.Path("/proc/self/ns/net").readlink()
        ports = set()
        for process in run.processes():
            self.assertNotEqual(pathlib.Path(f"/proc/{process}/ns/net").readlink(), own)
            self.assertEqual(_interfaces(process), ["lo"])
            ports |= _listening_ports(process)
        # Learner and queue.
        self.assertGreaterEqual(len(ports), 2)
        reached = []
        for port in ports - _listening_ports("self"):
            with socket.socket() as client:
                reached.append(client.connect_ex(("127.0.0.1", port)) == 0)
        self.assertFalse(any(reached))
        self.assertNotIn("No network of its own", run.stderr)

    def test_nobody_needs_to_be_root(self) -> None:
        self.assertEqual(self._python(_NOT_AS_ROOT).split(), ["1"])

    def test_says_what_is_open_where_it_cannot(self) -> None:
        said = self._python(_WITH_A_THREAD + _NOT_AS_ROOT)
        self.assertStartsWith(said, "No network of its own (Invalid argument): ")
        self.assertIn("can run code in this run", said)

    @parameterized.parameters(
        ((), 1),
        (("--private_network",), 1),
        (("--private_network=true",), 1),
        (("--noprivate_network",), 0),
        (("-noprivate_network",), 0),
        (("--private_network=false",), 0),
        (("noprivate_network",), 1),
    )
    def test_the_flag_is_read_before_flags_are(self, given, entered: int) -> None:
        with mock.patch.object(private_network, "enter") as enter:
            private_network.enter_if_wanted(["train", *given])
        self.assertEqual(enter.call_count, entered)


if __name__ == "__main__":
    absltest.main()
