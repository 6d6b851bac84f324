"""A process arrives in a network of its own, or is where it was, and knows why."""

import os
import subprocess
import sys

from absl.testing import absltest, parameterized

# Goes there, and tells whether it has left, who it is, and how many interfaces it sees.
_ENTER = """
import os
from unittest import mock
from launch.processes import network_namespace
from tests.launch.processes import refused_calls
before = os.readlink("/proc/self/ns/net"), os.readlink("/proc/self/ns/user")
user = os.getuid(), os.getgid(), os.getgroups()
{refusal}
try:
    network_namespace.enter()
    said = "arrived"
except OSError as error:
    said = error.strerror
except network_namespace.HalfWayError as error:
    said = f"stuck: {{error}}"
after = os.readlink("/proc/self/ns/net"), os.readlink("/proc/self/ns/user")
assert (os.getuid(), os.getgid(), os.getgroups()) == user
print(after == before, open("/proc/net/dev").read().count(":"), said, sep="|")
"""
# A network namespace alone takes the rights of root.
_NOT_AS_ROOT = """
unshare = network_namespace._unshare
def refuse_root(flags):
    if flags == network_namespace._CLONE_NEWNET:
        raise PermissionError
    unshare(flags)
network_namespace._unshare = refuse_root
"""
# As AppArmor refuses them, one by one.
_REFUSED_FILE = """
write = network_namespace.pathlib.Path.write_text
def refuse(self, text):
    if self.name == {file!r}:
        raise PermissionError(1, "Operation not permitted")
    write(self, text)
network_namespace.pathlib.Path.write_text = refuse
"""
_REFUSED = "Operation not permitted"
_SET_INTERFACE_FLAGS = 0x8914


class NetworkNamespaceTest(parameterized.TestCase):
    def _enter(self, refusal: str) -> list[str]:
        """Returns whether it has stayed, the interfaces there, and how it went."""
        done = subprocess.run(
            [sys.executable, "-c", _ENTER.format(refusal=refusal)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEmpty(done.stderr)
        return done.stdout.strip().split("|")

    @parameterized.parameters("", _NOT_AS_ROOT)
    def test_it_arrives(self, user: str) -> None:
        self.assertEqual(self._enter(user), ["False", "1", "arrived"])

    def _check_stays(self, refusal: str, reason: str = _REFUSED) -> None:
        *stayed, said = self._enter(refusal)
        self.assertEqual(stayed, ["True", str(len(os.listdir("/sys/class/net")))])
        self.assertStartsWith(said, reason)

    @parameterized.product(
        user=("", _NOT_AS_ROOT),
        call=("'unshare'", f"'ioctl', {_SET_INTERFACE_FLAGS}", "'bind'", "'connect'"),
    )
    def test_who_is_refused_a_call_stays(self, user: str, call: str) -> None:
        self._check_stays(f"{user}refused_calls.refuse({call})")

    @parameterized.parameters("setgroups", "uid_map", "gid_map")
    def test_who_is_refused_a_file_stays(self, file: str) -> None:
        self._check_stays(_NOT_AS_ROOT + _REFUSED_FILE.format(file=file))

    def test_who_would_be_killed_stays(self) -> None:
        self._check_stays(
            "refused_calls.refuse('bind', kills=True)", "killed on the way there"
        )

    def test_a_process_of_several_threads_stays(self) -> None:
        thread = (
            "import threading\n"
            "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        )
        self._check_stays(thread + _NOT_AS_ROOT, "Invalid argument")

    def test_what_takes_too_long_is_given_up(self) -> None:
        hangs = (
            "import time\n"
            "network_namespace._TRIAL_SECONDS = 0.2\n"
            "network_namespace._connect_to_itself = lambda: time.sleep(1000)"
        )
        self._check_stays(hangs, "no answer in time")

    def test_what_works_for_the_child_alone_is_told(self) -> None:
        refusal = "network_namespace._try_in_child = lambda: None\n" + (
            f"refused_calls.refuse('ioctl', {_SET_INTERFACE_FLAGS})"
        )
        left, _, reason = self._enter(refusal)
        self.assertEqual((left, reason), ("False", f"stuck: {_REFUSED}"))


if __name__ == "__main__":
    absltest.main()
