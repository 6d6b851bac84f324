"""One thread for each computation, on small machines and unless told otherwise."""

import os
from unittest import mock

from absl.testing import absltest, parameterized

from launch.computing import processor_threads

FLAG = "--xla_cpu_multi_thread_eigen"


class ProcessorThreadsTest(parameterized.TestCase):
    @parameterized.parameters(
        (2, "", True, f"{FLAG}=false"),
        (4, "--xla_dump_to=x", True, f"--xla_dump_to=x {FLAG}=false"),
        (5, "", False, ""),
        (2, f"{FLAG}=true", False, f"{FLAG}=true"),
    )
    def test_sets_the_flag(self, num_cores, before, is_set, after):
        with mock.patch.dict(os.environ, {"XLA_FLAGS": before}):
            self.assertEqual(processor_threads.share_cores(num_cores), is_set)
            self.assertEqual(os.environ["XLA_FLAGS"], after)


if __name__ == "__main__":
    absltest.main()
