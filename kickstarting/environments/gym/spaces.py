"""What an observation space says: how its images become frames, and what is left out.

A space is taken at its word. What it says and is not supported is refused when it is
read; an observation that is not as its space says is refused when it comes.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from kickstarting.environments import base

IMAGE = "image"
MISSION = "mission"
ACTION_MASK = "action_mask"

# Whatever the values, frames up to this size are grids whose cells mean something:
# resizing would mix them.
_SURE_GRID_SIZE = 16
# The codes of a larger grid are below this, or are known to be MiniGrid's.
_NUM_CODES = 32
_SMALLEST_PICTURE = 32

_SUPPORTED = (
    f"an image is needed: a picture, uint8 [H, W] or [H, W, 1 or 3], of "
    f"{_SMALLEST_PICTURE} pixels or more, or a grid, uint8 [H, W, C], of up to "
    f"{_SURE_GRID_SIZE}x{_SURE_GRID_SIZE} cells, or {base.MAX_GRID_SIZE}x"
    f"{base.MAX_GRID_SIZE} where its space has no value above {_NUM_CODES - 1}"
)


@dataclasses.dataclass(frozen=True)
class Observed:
    """How the observations of one environment are read.

    Attributes:
      level: the environment's id, for messages.
      shape: of its images, as the space has them; their type is uint8.
      channels_first: they are [C, H, W].
      frame_shape: [H, W, C] of the frames that are made of them.
      entries: they are the 'image' of a dict.
      mission: there is a 'mission' beside it.
      unused: other entries of the dict, which nothing reads.
      minigrid: they are grids of MiniGrid's codes, by x and y.
    """

    level: str
    shape: tuple[int, ...]
    channels_first: bool
    frame_shape: tuple[int, int, int]
    entries: bool
    mission: bool
    unused: tuple[str, ...]
    minigrid: bool

    def frame(self, raw: Any) -> np.ndarray:
        """Returns the frame uint8 [H, W, C] of an observation.

        Raises:
          base.EnvironmentConfigError: it is not as its space says.
        """
        image = raw
        if self.entries:
            if not isinstance(raw, Mapping) or IMAGE not in raw:
                raise self._unfit(f"a {type(raw).__name__} without an '{IMAGE}'")
            image = raw[IMAGE]
        image = np.asarray(image)
        if image.shape != self.shape or image.dtype != np.uint8:
            raise self._unfit(f"{image.dtype} {image.shape}")
        if self.channels_first:
            image = image.transpose(1, 2, 0)
        if image.shape[:2] != self.frame_shape[:2]:
            # OpenCV's threads would fight the other workers for the cores.
            import cv2

            cv2.setNumThreads(0)
            size = self.frame_shape[1::-1]
            # It takes no view of transposed memory.
            image = np.ascontiguousarray(image)
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        if image.ndim == 2:
            image = image[:, :, None]
        return np.broadcast_to(image, self.frame_shape)

    def mission_of(self, raw: Any) -> str:
        """Returns the mission of an observation; '' where there is none.

        Raises:
          base.EnvironmentConfigError: it is no text.
        """
        if not self.mission:
            return ""
        mission = raw.get(MISSION, "")
        if not isinstance(mission, str):
            raise base.EnvironmentConfigError(
                f"gym:{self.level} observed the mission {mission!r}, which is no text"
            )
        return mission

    def _unfit(self, came: str) -> base.EnvironmentConfigError:
        return base.EnvironmentConfigError(
            f"gym:{self.level} observed {came}, but its space says uint8 {self.shape}"
        )


def read(level: str, environment: Any) -> Observed:
    """Reads the observation space of a Gymnasium environment.

    Raises:
      base.EnvironmentConfigError: what it shows is not supported; in one line, with
        what is.
    """
    space = environment.observation_space
    entries = dict(getattr(space, "spaces", None) or {})
    mission = MISSION in entries and np.dtype(entries[MISSION].dtype).kind == "U"
    image: Any = entries.get(IMAGE) if entries else space
    shape = tuple(getattr(image, "shape", None) or ())
    said = f"gym:{level} observes {' '.join(str(space).split())}, but"
    if getattr(image, "dtype", None) != np.uint8 or len(shape) not in (2, 3):
        raise base.EnvironmentConfigError(f"{said} {_SUPPORTED}")
    channels_first = _is_channels_first(shape)
    if _may_be_channels_first(shape) and not channels_first:
        raise base.EnvironmentConfigError(
            f"{said} {shape} may be [C, H, W] as well as [H, W, C]: wrap it so that "
            "its channels come last, 1 or 3 of them"
        )
    codes = int(image.high.max()) < _NUM_CODES or _is_whole_grid(environment, shape)
    frame_shape = _frame_shape(
        (*shape[1:], shape[0]) if channels_first else shape, codes
    )
    if frame_shape is None:
        raise base.EnvironmentConfigError(f"{said} {_SUPPORTED}")
    used = {IMAGE, ACTION_MASK, *((MISSION,) if mission else ())}
    if _is_minigrid(environment) and not _is_whole_grid(environment, shape):
        # The view is turned as the agent is.
        used.add("direction")
    return Observed(
        level=level,
        shape=shape,
        channels_first=channels_first,
        frame_shape=frame_shape,
        entries=bool(entries),
        mission=mission,
        unused=tuple(name for name in entries if name not in used),
        minigrid=_is_minigrid(environment) and frame_shape == shape and shape[2] == 3,
    )


def _may_be_channels_first(shape: tuple[int, ...]) -> bool:
    """Whether [H, W, C] may be [C, H, W]; a square in front says that it is not."""
    if len(shape) < 3:
        return False
    first, second, last = shape
    if last in (1, 3) or first == second:
        return False
    return second == last or first in (1, 3)


def _is_channels_first(shape: tuple[int, ...]) -> bool:
    """Whether [C, H, W] is all that the shape can be."""
    if not _may_be_channels_first(shape):
        return False
    first, second, last = shape
    return first in (1, 3) and (second == last or max(second, last) > _SURE_GRID_SIZE)


def _is_minigrid(environment: Any) -> bool:
    from minigrid import minigrid_env

    return isinstance(environment.unwrapped, minigrid_env.MiniGridEnv)


def _is_whole_grid(environment: Any, shape: tuple[int, ...]) -> bool:
    """Whether it is all of a MiniGrid, whose space says nothing of its codes."""
    world = environment.unwrapped
    return _is_minigrid(environment) and shape == (world.width, world.height, 3)


def _frame_shape(shape: tuple[int, ...], codes: bool) -> tuple[int, int, int] | None:
    """Returns the shape of the frames of images [H, W] or [H, W, C], if there are any.

    Args:
      shape: of the images.
      codes: whether they are known to be grids.
    """
    height, width, channels = (*shape, 1)[:3]
    size = max(height, width)
    if size <= _SURE_GRID_SIZE or (codes and size <= base.MAX_GRID_SIZE):
        return (height, width, 3 if channels == 1 else channels)
    if codes or size < _SMALLEST_PICTURE or channels not in (1, 3):
        return None
    return (base.FRAME_HEIGHT, base.FRAME_WIDTH, 3)
