"""Threads as the cores that may be used, and unless told otherwise."""

import os
import pathlib
from unittest import mock

from absl.testing import absltest, parameterized

from launch.computing import processor_threads

FLAG = "--xla_cpu_multi_thread_eigen"
# What a process is in, as /proc/self/cgroup has it.
_SECOND = "0::/system.slice/job\n"
_FIRST = "4:memory:/docker/1f\n3:cpu,cpuacct:/docker/1f\n"


class ProcessorThreadsTest(parameterized.TestCase):
    @parameterized.parameters(
        (2, "", True, f"{FLAG}=false"),
        (4, "--xla_dump_to=x", True, f"--xla_dump_to=x {FLAG}=false"),
        (5, "", False, ""),
        (2, f"{FLAG}=true", False, f"{FLAG}=true"),
    )
    def test_sets_the_flag(self, num_cores, before, is_set, after):
        with mock.patch.dict(os.environ, {"XLA_FLAGS": before}):
            os.environ.pop("NPROC", None)
            self.assertEqual(processor_threads.share_cores(num_cores), is_set)
            self.assertEqual(os.environ["XLA_FLAGS"], after)
            self.assertEqual(os.environ["NPROC"], str(num_cores))

    def test_a_pool_of_somebody_s_choice_stays(self):
        with mock.patch.dict(os.environ, {"XLA_FLAGS": "", "NPROC": "7"}):
            processor_threads.share_cores(2)
            self.assertEqual(os.environ["NPROC"], "7")


class UsableCoresTest(parameterized.TestCase):
    def _cores(self, own: str, files: dict[str, str], affinity: int = 64) -> int:
        folder = pathlib.Path(self.create_tempdir().full_path)
        for name, text in files.items():
            path = folder / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (folder / "own").write_text(own)
        with mock.patch.object(
            os, "sched_getaffinity", return_value=set(range(affinity))
        ):
            return processor_threads.usable_cores(
                str(folder / "cgroup"), str(folder / "own")
            )

    @parameterized.named_parameters(
        ("version_2", _SECOND, {"system.slice/job/cpu.max": "400000 100000\n"}, 4),
        ("a_part_of_a_core", _SECOND, {"system.slice/job/cpu.max": "50000 100000"}, 1),
        ("half_a_core_more", _SECOND, {"system.slice/job/cpu.max": "250000 100000"}, 3),
        ("no_limit", _SECOND, {"system.slice/job/cpu.max": "max 100000\n"}, 64),
        (
            "that_of_the_group_around_it",
            _SECOND,
            {
                "system.slice/job/cpu.max": "max 100000\n",
                "system.slice/cpu.max": "200000 100000\n",
            },
            2,
        ),
        ("in_a_container", "0::/\n", {"cpu.max": "600000 100000\n"}, 6),
        (
            "version_1",
            _FIRST,
            {
                "cpu,cpuacct/docker/1f/cpu.cfs_quota_us": "150000\n",
                "cpu,cpuacct/docker/1f/cpu.cfs_period_us": "50000\n",
            },
            3,
        ),
        (
            "version_1_in_a_container",
            _FIRST,
            {"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"},
            2,
        ),
        (
            "version_1_without_a_limit",
            _FIRST,
            {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
            64,
        ),
        (
            "another_controller",
            _FIRST,
            {"memory/docker/1f/cpu.max": "100000 100000\n"},
            64,
        ),
        ("no_files", _SECOND, {}, 64),
        ("what_nobody_understands", _SECOND, {"cpu.max": "much\n"}, 64),
        ("another_group", _SECOND, {"user.slice/cpu.max": "100000 100000\n"}, 64),
    )
    def test_what_a_group_may_use(self, own, files, cores):
        self.assertEqual(self._cores(own, files), cores)

    def test_the_affinity_where_that_is_less(self):
        files = {"system.slice/job/cpu.max": "800000 100000\n"}
        self.assertEqual(self._cores(_SECOND, files, affinity=2), 2)

    def test_of_this_process(self):
        cores = processor_threads.usable_cores()
        self.assertBetween(cores, 1, len(os.sched_getaffinity(0)))
        unknown = processor_threads.usable_cores("/nowhere", "/nowhere")
        self.assertEqual(unknown, len(os.sched_getaffinity(0)))


if __name__ == "__main__":
    absltest.main()
