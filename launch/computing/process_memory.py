"""When glibc gives freed memory back to the system."""

import ctypes

# mallopt(3): options and values in bytes.
_OPTIONS = {
    -1: 1 << 30,  # M_TRIM_THRESHOLD
    -3: 1 << 30,  # M_MMAP_THRESHOLD
    # Above the 64 MB of a thread's heap, or that is given back whole.
    -2: 1 << 27,  # M_TOP_PAD
}


def keep_freed_memory() -> bool:
    """Lets malloc keep what is freed, however large, for the rest of the process.

    By default every large array is mapped afresh, zeroed page by page by the kernel,
    and unmapped again, in every update.

    Returns:
      whether the C library has taken the setting; another one than glibc does not.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(mallopt(option, value) == 1 for option, value in _OPTIONS.items())


def give_back_freed_memory() -> bool:
    """Gives back what is freed now, whatever `keep_freed_memory` said.

    Returns:
      whether there was anything to give back; never, with another C library than glibc.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return bool(trim(0)) if trim is not None else False
