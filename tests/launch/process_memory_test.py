"""What is freed stays with the process."""

import subprocess
import sys

from absl.testing import absltest

# A large array is allocated and freed again and again; prints the pages faulted in.
_PROGRAM = """
import ctypes, resource, sys
from launch import process_memory
if sys.argv[1] == "keep":
    assert process_memory.keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
size = 64 << 20
for turn in range(11):
    if turn == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = libc.malloc(size)
    ctypes.memset(block, 1, size)
    libc.free(block)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _page_faults(how: str) -> int:
    output = subprocess.run(
        [sys.executable, "-c", _PROGRAM, how],
        capture_output=True,
        check=True,
        text=True,
    )
    return int(output.stdout)


class KeepFreedMemoryTest(absltest.TestCase):
    def test_memory_is_not_faulted_in_again(self):
        self.assertLess(10 * _page_faults("keep"), _page_faults("as it is"))


if __name__ == "__main__":
    absltest.main()
