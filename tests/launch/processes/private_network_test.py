"""A process gets a network of its own, or says that it has none."""

import subprocess
import sys
from unittest import mock

from absl.testing import absltest, parameterized

from launch.processes import private_network

# A network namespace alone takes the rights of root.
_NOT_AS_ROOT = """\
import os
from unittest import mock
from launch.processes import private_network
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


class PrivateNetworkTest(parameterized.TestCase):
    def _python(self, text: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", text], capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

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
