"""What lies where in a run's folder."""

import os


def checkpoints(logdir: str) -> str:
    """Returns the folder of a run's checkpoints."""
    return os.path.join(logdir, "checkpoints")


def logs(logdir: str) -> str:
    """Returns the folder of logs: of C++ libraries, and of local_mp's nodes."""
    return os.path.join(logdir, "logs")
