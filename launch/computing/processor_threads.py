"""How many threads XLA computes with on a small machine."""

import os

# Up to this many cores the environments' processes keep all of them busy.
MAX_CORES = 4
_FLAG = "--xla_cpu_multi_thread_eigen"


def share_cores(num_cores: int) -> bool:
    """Lets each XLA computation on the CPU run on one thread, where cores are few.

    The learner's update and the actors' inference run beside the environments. Split
    over all cores, each part of a computation waits for a core that another process
    has, and the others wait for it. Has no effect once JAX has opened its backend.

    Args:
      num_cores: that this process may use.

    Returns:
      whether it was set: not on more than MAX_CORES cores, nor where XLA_FLAGS already
      says how.
    """
    chosen = os.environ.get("XLA_FLAGS", "")
    if num_cores > MAX_CORES or _FLAG in chosen:
        return False
    os.environ["XLA_FLAGS"] = f"{chosen} {_FLAG}=false".strip()
    return True
