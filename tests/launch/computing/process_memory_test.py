"""What is freed stays with the process, until it is to be given back."""

import subprocess
import sys

from absl.testing import absltest

# A large array is allocated and freed again and again; prints the pages faulted in.
_PROGRAM = """
import ctypes, resource, sys
from launch.computing import process_memory
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

# Prints the bytes that are resident with a block that is kept, without and given back.
_GIVE_BACK = """
import ctypes, psutil
from launch.computing import process_memory
assert process_memory.keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
block = libc.malloc(256 << 20)
ctypes.memset(block, 1, 256 << 20)
print(psutil.Process().memory_info().rss)
libc.free(block)
print(psutil.Process().memory_info().rss)
assert process_memory.give_back_freed_memory()
print(psutil.Process().memory_info().rss)
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


class GiveBackFreedMemoryTest(absltest.TestCase):
    def test_freed_memory_goes_only_when_it_is_given_back(self):
        output = subprocess.run(
            [sys.executable, "-c", _GIVE_BACK],
            capture_output=True,
            check=True,
            text=True,
        )
        held, freed, given_back = map(int, output.stdout.split())
        self.assertLess(held - freed, 2**20)
        self.assertGreater(freed - given_back, 200 * 2**20)


if __name__ == "__main__":
    absltest.main()
