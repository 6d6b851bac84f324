"""What a family's processes start ends with them, and they with who started them."""

import os
import signal
import subprocess
import sys
import threading
import time

from absl.testing import absltest, parameterized

from kickstarting.environments.stepping import family, guardian
from tests.environments import processes
from tests.launch import program_run

# With a daemon: in a session of its own, and its parent has ended.
_UNRULY = (
    "import os, subprocess, time\n"
    "os.fork() or (os.setsid(), subprocess.Popen(['sleep', '3600']), os._exit(0))\n"
    "subprocess.Popen(['sleep', '3600'], start_new_session=True)\n"
    "time.sleep(3600)\n"
)
_PARENT = (
    "import sys, time\n"
    "from kickstarting.environments.stepping import family\n"
    "processes = family.Family()\n"
    "processes.start('-c', sys.argv[1])\n"
    "time.sleep(3600)\n"
)


def _sleepers(mark: str) -> set[int]:
    """Returns the living processes with a mark among their variables."""
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if mark.encode() in file.read() and processes.is_alive(int(name)):
                    found.add(int(name))
        except OSError:
            continue
    return found


class FamilyTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.mark = f"{self.id()}.{os.getpid()}"
        os.environ["FAMILY_TEST_MARK"] = self.mark
        self.addCleanup(os.environ.pop, "FAMILY_TEST_MARK")

    def _wait_for(self, number: int) -> set[int]:
        """Returns the processes that have the mark once they are so many."""
        deadline = time.monotonic() + 60
        while len(found := _sleepers(self.mark) - {os.getpid()}) != number:
            self.assertLess(time.monotonic(), deadline, found)
            time.sleep(0.1)
        return found

    @parameterized.parameters(signal.SIGKILL, signal.SIGTERM)
    def test_nothing_outlives_who_started_it(self, number: int) -> None:
        with subprocess.Popen([sys.executable, "-c", _PARENT, _UNRULY]) as parent:
            # It, its guardian, the process, and two that sleep.
            found = self._wait_for(5)
            parent.send_signal(number)
        self.assertTrue(processes.wait_until_gone(found, seconds=10))

    def test_one_ends_with_what_it_started_and_the_others_do_not(self) -> None:
        started = family.Family()
        self.addCleanup(started.close)
        first = started.start("-c", _UNRULY)
        mine = self._wait_for(4)
        second = started.start("-c", _UNRULY)
        others = self._wait_for(7) - mine
        started.end(first)
        self.assertEqual(self._wait_for(4) & others, others)
        started.close()
        self._wait_for(0)
        second.wait()
        self.assertEmpty(program_run.children())
        started.close()

    def test_it_outlives_the_thread_that_started_it(self) -> None:
        started = family.Family()
        self.addCleanup(started.close)
        ended: list[subprocess.Popen] = []
        thread = threading.Thread(
            target=lambda: ended.append(started.start("-c", _UNRULY))
        )
        thread.start()
        thread.join()
        self._wait_for(4)
        time.sleep(1)
        self._wait_for(4)
        started.end(ended[0])
        self._wait_for(1)

    def test_a_fork_s_id_may_be_another_s_by_now(self) -> None:
        started = family.Family()
        self.addCleanup(started.close)
        process = started.start("-c", "import time; time.sleep(3600)")
        began = guardian.began(process.pid)
        for other in ((process.pid, began + 1), (0, began), (2**22 + 1, began)):
            started.end_fork(started.mark(), *other)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(0.5)
        started.end_fork(started.mark(), process.pid, began)
        self.assertEqual(process.wait(10), -signal.SIGKILL)

    def test_without_its_guardian_it_ends_what_it_can(self) -> None:
        started = family.Family()
        process = started.start("-c", "import time; time.sleep(3600)")
        assert started._guardian is not None
        started._guardian.kill()
        started._guardian.wait()
        started.end(process)
        started.close()
        self._wait_for(0)


if __name__ == "__main__":
    absltest.main()
