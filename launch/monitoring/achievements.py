"""What a node has done that its death does not undo.

Who ends again and again without any more of it will not fare better the next time,
however long each life is.
"""

import os
import pathlib
from collections.abc import Callable

from kickstarting.storage import manifest

# Of a node: a number that rises with what is done for good.
Done = Callable[[], float]


def checkpointed(logdir: str) -> Done:
    """Returns what tells the environment frames of the newest whole checkpoints.

    Those of a population are added up. What is damaged counts here: the next learner
    finds out.

    Args:
      logdir: of the run, or of a population's member.
    """

    def frames() -> float:
        members = pathlib.Path(logdir).glob("member_*")
        return float(sum(map(_newest, [pathlib.Path(logdir), *members])))

    return frames


def size_of(path: str) -> Done:
    """Returns what tells the bytes of a file that only grows; 0 without one.

    Args:
      path: of the file.
    """

    def size() -> float:
        try:
            return float(os.path.getsize(path))
        except OSError:
            return 0.0

    return size


def _newest(logdir: pathlib.Path) -> int:
    whole = [
        path.parent.name.split("-")
        for path in logdir.glob(f"checkpoints/checkpoint-*-*/{manifest.NAME}")
    ]
    numbers = [(int(number), int(frames)) for _, number, frames in whole]
    return max(numbers, default=(0, 0))[1]
