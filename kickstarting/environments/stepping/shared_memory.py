"""The memory that an actor shares with its environment workers.

It has a file descriptor and no name, so that nothing is left behind however the
processes end. Each worker writes to its own rows; a byte on its socket says when.
"""

import dataclasses
import fcntl
import math
import mmap
import os

import numpy as np

# Arrays start on cache lines.
_ALIGNMENT = 64
# After standard input, output and error.
_FIRST_FREE = 3


@dataclasses.dataclass(frozen=True)
class Layout:
    """Sizes from which parent and child compute the same offsets; JSON-serialisable.

    Attributes:
      num_environments: E.
      num_slots: S, unrolls in flight of each environment.
      unroll_length: T.
      frame_shape: [H, W, C].
      instruction_length: L.
      num_actions: A.
    """

    num_environments: int
    num_slots: int
    unroll_length: int
    frame_shape: tuple[int, int, int]
    instruction_length: int
    num_actions: int

    def arrays(self) -> dict[str, tuple[tuple[int, ...], type]]:
        """Returns the shape and dtype of each array, in the order of the memory."""
        every = (self.num_environments,)
        observations = (*every, self.num_slots, self.unroll_length + 1)
        return {
            "pixels": ((*observations, *self.frame_shape), np.uint8),
            "instruction": ((*observations, self.instruction_length), np.int32),
            "available_actions": ((*observations, self.num_actions), np.bool_),
            "action": (every, np.int32),
            "slot": (every, np.int32),
            "position": (every, np.int32),
            "reward": (every, np.float32),
            "discount": (every, np.float32),
            "first": (every, np.bool_),
            "ended": (every, np.bool_),
            "episode_return": (every, np.float64),
            "episode_steps": (every, np.int64),
        }


class SharedMemory:
    """NumPy views of the memory.

    Attributes:
      pixels, instruction, available_actions, reward, discount, first, ended,
        episode_return, episode_steps: as in batch.EnvironmentBatch; written by the
        workers.
      action, slot, position: int32 [E]; written by the parent: the next action, and
        where its observation goes.
    """

    pixels: np.ndarray
    instruction: np.ndarray
    available_actions: np.ndarray
    action: np.ndarray
    slot: np.ndarray
    position: np.ndarray
    reward: np.ndarray
    discount: np.ndarray
    first: np.ndarray
    ended: np.ndarray
    episode_return: np.ndarray
    episode_steps: np.ndarray

    def __init__(self, layout: Layout, descriptor: int) -> None:
        """Maps the memory behind a file descriptor of `create`."""
        offsets, size = _offsets(layout)
        mapping = mmap.mmap(descriptor, size)
        for name, (shape, dtype) in layout.arrays().items():
            array: np.ndarray = np.ndarray(shape, dtype, mapping, offsets[name])
            setattr(self, name, array)


def create(layout: Layout) -> int:
    """Reserves zeroed memory; the caller closes the returned file descriptor."""
    descriptor = above_streams(os.memfd_create("kickstarting"))
    os.ftruncate(descriptor, _offsets(layout)[1])
    return descriptor


def above_streams(descriptor: int) -> int:
    """Moves a file descriptor off the numbers of standard streams that are missing.

    A child has streams of its own there.
    """
    if descriptor >= _FIRST_FREE:
        return descriptor
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
    os.close(descriptor)
    return moved


def _offsets(layout: Layout) -> tuple[dict[str, int], int]:
    offsets, end = {}, 0
    for name, (shape, dtype) in layout.arrays().items():
        offsets[name] = end
        size = math.prod(shape) * np.dtype(dtype).itemsize
        end += math.ceil(size / _ALIGNMENT) * _ALIGNMENT
    return offsets, end
