"""Machines for tests: network namespaces of this one, joined by a bridge.

They take the rights of root, and `ip` (Debian's iproute2).
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from absl.testing import absltest

_NETWORK = "10.77.0"


class Machines:
    """Namespaces with one interface each, that reach one another by it alone."""

    def __init__(self, test: absltest.TestCase, names: Sequence[str]) -> None:
        """Makes them; the test's end takes them away.

        Args:
          test: whose clean-up is used.
          names: of the machines.
        """
        self._names = list(names)
        self._hub = f"hub{os.getpid()}"
        test.addCleanup(self._remove)
        _ip("netns", "add", self._hub)
        _ip("-n", self._hub, "link", "add", "bridge", "type", "bridge")
        _ip("-n", self._hub, "link", "set", "bridge", "up")
        for name in names:
            space = self.space(name)
            _ip("netns", "add", space)
            _ip(
                *("link", "add", name, "netns", self._hub, "type", "veth"),
                *("peer", "name", "eth0", "netns", space),
            )
            _ip("-n", self._hub, "link", "set", name, "master", "bridge", "up")
            _ip("-n", space, "addr", "add", f"{self.address(name)}/24", "dev", "eth0")
            _ip("-n", space, "link", "set", "eth0", "up")
            _ip("-n", space, "link", "set", "lo", "up")

    def space(self, name: str) -> str:
        """Returns the namespace of a machine."""
        return f"{self._hub}_{name}"

    def address(self, name: str) -> str:
        """Returns the address of a machine."""
        return f"{_NETWORK}.{self._names.index(name) + 1}"

    def write_cluster(
        self, path: pathlib.Path, groups: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Writes the file of --cluster.

        Args:
          path: of the file.
          groups: of nodes, as it has them.
        """
        machines = {
            name: {
                "address": self.address(name),
                "command": f"ip netns exec {self.space(name)} sh -c {{command}}",
                "python": sys.executable,
            }
            for name in self._names
        }
        path.write_text(json.dumps({"machines": machines, "groups": groups}))

    def cut(self, name: str) -> None:
        """Pulls the cable of a machine."""
        _ip("-n", self._hub, "link", "set", name, "down")

    def join(self, name: str) -> None:
        """Plugs it in again."""
        _ip("-n", self._hub, "link", "set", name, "up")

    def sent_bytes(self, name: str) -> int:
        """Returns how much a machine has sent to others."""
        line = subprocess.run(
            ["ip", "netns", "exec", self.space(name), "cat", "/proc/net/dev"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.partition("eth0:")[2]
        # Eight figures of what was received come first.
        return int(line.split()[8])

    def _remove(self) -> None:
        for space in [*map(self.space, self._names), self._hub]:
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "del", space)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
