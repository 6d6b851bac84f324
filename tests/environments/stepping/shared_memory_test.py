"""Memory that workers share, and the numbers of its file descriptors."""

import os
import subprocess
import sys

from absl.testing import absltest

from kickstarting.environments.stepping import shared_memory

_WITHOUT_STREAMS = """
import os, sys
from kickstarting.environments.stepping import shared_memory
os.close(0)
os.close(1)
memory = shared_memory.create(shared_memory.Layout(1, 1, 1, (2, 2, 1), 0, 2))
numbers = shared_memory.above_streams(os.open(os.devnull, os.O_RDONLY)), memory
sys.exit(0 if min(numbers) > 2 else f"{numbers}")
"""


class SharedMemoryTest(absltest.TestCase):
    def test_it_never_takes_the_place_of_a_stream(self) -> None:
        result = subprocess.run(
            [sys.executable, "-c", _WITHOUT_STREAMS],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_two_that_map_it_see_the_same(self) -> None:
        layout = shared_memory.Layout(2, 1, 3, (4, 4, 1), 0, 5)
        descriptor = shared_memory.create(layout)
        self.addCleanup(os.close, descriptor)
        one, other = (shared_memory.SharedMemory(layout, descriptor) for _ in range(2))
        one.pixels[1, 0, 2] = 7
        self.assertEqual(other.pixels[1, 0, 2].sum(), 7 * 16)
        self.assertEqual(other.pixels.sum(), 7 * 16)


if __name__ == "__main__":
    absltest.main()
