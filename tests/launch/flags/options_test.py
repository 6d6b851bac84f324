"""Whether a run wants a network of its own is known before anything is loaded."""

import subprocess
import sys

from absl.testing import absltest, flagsaver, parameterized

from launch.flags import options

_EARLY = """\
import os, sys
from launch.flags import options
from launch.processes import private_network
print(options.wants_private_network(sys.argv))
print(len(os.listdir("/proc/self/task")))
print(*sorted({"jax", "numpy", "tensorflow", "launchpad"} & set(sys.modules)))
"""


class OptionsTest(parameterized.TestCase):
    @parameterized.parameters(
        # (command line, whether it wants one)
        ((), True),
        (("--private_network",), True),
        (("--private_network=true",), True),
        (("--noprivate_network",), False),
        (("-noprivate_network",), False),
        (("--private_network=false",), False),
        (("--private_network=0",), False),
        (("--private_network", "--noprivate_network"), False),
        (("noprivate_network",), True),
        (("--launch=local",), True),
        (("--launch=hosts",), False),
        (("--launch", "hosts"), False),
        (("-launch", "hosts", "--cluster", "x"), False),
        (("--launch=hosts", "--launch=local"), True),
        (("--logdir", "launch=hosts"), True),
        (("--teachers", "--launch=hosts"), True),
        (("--lp_termination_notice_secs=3", "--launch", "slurm"), False),
        # What is wrong is told later, and nothing is run.
        (("--launch=hots",), False),
        (("--total_frames=many",), False),
        (("--total_frames=-5",), True),
    )
    def test_wants_a_network(self, given, wanted):
        with flagsaver.flagsaver():
            self.assertEqual(
                options.wants_private_network(["train.py", *given]), wanted
            )

    @parameterized.parameters(
        ("--launch=hosts\n--cluster=x\n", False),
        ("# a remark\n--noprivate_network\n", False),
        ("--seed=3\n", True),
    )
    def test_flags_may_be_in_a_file(self, text, wanted):
        path = self.create_tempfile(content=text).full_path
        for given in ([f"--flagfile={path}"], ["--flagfile", path]):
            with flagsaver.flagsaver():
                self.assertEqual(
                    options.wants_private_network(["train.py", *given]), wanted
                )

    def test_nothing_begins_a_thread(self):
        done = subprocess.run(
            [sys.executable, "-c", _EARLY, "--launch", "hosts"],
            env={"PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertEqual(done.stdout.splitlines(), ["False", "1", ""])


if __name__ == "__main__":
    absltest.main()
