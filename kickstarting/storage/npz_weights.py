"""Weights as teachers had them before safetensors: float16 in one .npz file.

Read without trust, as weights.py does it: nothing is unpickled, no name is used as a
path on the disk, and every size is bounded before the bytes that it announces are read.
"""

import pathlib
import zipfile
from typing import Any, BinaryIO

import numpy as np

from kickstarting.storage import weights
from kickstarting.storage.weights import WeightsError


def read(path: pathlib.Path) -> dict[str, Any]:
    """Reads an .npz file of parameters.

    Returns:
      Nested dicts of float32 arrays.

    Raises:
      WeightsError: the file is damaged, too large, or holds something else than finite
        float16 arrays.
    """
    arrays: dict[str, np.ndarray] = {}
    room = weights.MAX_PARAMETERS
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if not 0 < len(members) <= weights.MAX_ARRAYS:
                raise WeightsError(f"it holds {len(members)} arrays")
            for member in members:
                name = member.filename.removesuffix(".npy")
                if name in arrays or len(name) > weights.MAX_NAME:
                    raise WeightsError(f"{name[:100]!r} cannot name weights")
                with archive.open(member) as file:
                    arrays[name] = _read_array(name, file, room)
                room -= arrays[name].size
    except WeightsError:
        raise
    # Hostile bytes make zipfile, zlib and NumPy raise all sorts of exceptions.
    except Exception as error:
        raise WeightsError(
            f"it is no sound .npz file ({type(error).__name__})"
        ) from error
    return weights.checked(arrays)


def _read_array(name: str, file: Any, room: int) -> np.ndarray:
    shape, dtype = _read_header(name, file)
    if dtype != np.float16:
        raise WeightsError(f"{name!r} has dtype {dtype}, not float16")
    # Python's own integers, which cannot overflow.
    size = 1
    for length in shape:
        size *= length
    if size > room or any(length < 0 for length in shape):
        raise WeightsError(f"{name!r} has shape {str(shape)[:100]}, which is too large")
    content = file.read(2 * size)
    if len(content) != 2 * size or file.read(1):
        raise WeightsError(f"{name!r} does not have the length of its shape")
    return np.frombuffer(content, np.float16).reshape(shape)


def _read_header(name: str, file: BinaryIO) -> tuple[tuple[int, ...], np.dtype]:
    if np.lib.format.read_magic(file) != (1, 0):
        raise WeightsError(f"{name!r} has an unknown version of the .npy format")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    if fortran_order:
        raise WeightsError(f"{name!r} is not in C order")
    return shape, dtype
