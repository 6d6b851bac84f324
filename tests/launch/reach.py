"""Whether anything but a run reaches its servers."""

import pathlib
import socket

from absl.testing import absltest

from tests.launch import program_run

_LISTENING = "0A"
_LEARNER_AND_QUEUE = 2


def check_out_of_reach(test: absltest.TestCase, run: program_run.ProgramRun) -> None:
    """Checks that all processes of a run, which is under way, are among themselves.

    Args:
      test: that checks.
      run: whose servers listen.
    """
    own = pathlib.Path("/proc/self/ns/net").readlink()
    ports = set()
    for process in run.processes():
        test.assertNotEqual(pathlib.Path(f"/proc/{process}/ns/net").readlink(), own)
        test.assertEqual(_interfaces(process), ["lo"])
        ports |= _listening_ports(process)
    test.assertGreaterEqual(len(ports), _LEARNER_AND_QUEUE)
    for port in ports - _listening_ports("self"):
        with socket.socket() as client:
            test.assertNotEqual(client.connect_ex(("127.0.0.1", port)), 0)
    test.assertNotIn("No network of its own", run.stderr)


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
