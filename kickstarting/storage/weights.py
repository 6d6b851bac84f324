"""Weights as float16 in one .npz file, read without trust.

Each array is named by its '/'-joined path in the nested dicts of parameters. Nothing is
unpickled, no name is used as a path on the disk, and every size is bounded before the
bytes that it announces are read.
"""

import pathlib
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

# Ten times the largest network that IMPALA used.
_MAX_PARAMETERS = 2**24
_MAX_ARRAYS = 10_000
_MAX_NAME = 500
# What a file of so many parameters cannot exceed; for readers to check first.
MAX_BYTES = 3 * _MAX_PARAMETERS


class WeightsError(ValueError):
    """Weights that cannot be written or read; its message is one line."""


def flatten(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the leaves of nested dicts by '/'-joined names.

    Raises:
      WeightsError: a name is empty, holds '/' or is no text.
    """
    leaves: dict[str, Any] = {}
    for name, value in tree.items():
        if not isinstance(name, str) or not name or "/" in name:
            raise WeightsError(f"{name!r} cannot name weights")
        if isinstance(value, Mapping):
            inner = flatten(value)
            leaves |= {f"{name}/{path}": leaf for path, leaf in inner.items()}
        else:
            leaves[name] = value
    return leaves


def nest(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the nested dicts that `flatten` made flat.

    Raises:
      WeightsError: a name is empty in part, or names both an array and a group.
    """
    tree: dict[str, Any] = {}
    for path, leaf in leaves.items():
        *parents, name = path.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise WeightsError(f"{path!r} lies within another array")
        if not all((*parents, name)) or name in node:
            raise WeightsError(f"{path!r} cannot name weights")
        node[name] = leaf
    return tree


def write(path: pathlib.Path, params: Mapping[str, Any]) -> None:
    """Writes parameters.

    Args:
      path: the .npz file.
      params: nested dicts of floating-point arrays.

    Raises:
      WeightsError: there are none, or float16 cannot hold one.
    """
    arrays = {name: _to_half(name, leaf) for name, leaf in flatten(params).items()}
    if not arrays:
        raise WeightsError("there are no weights to write")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(name + ".npy", "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def read(path: pathlib.Path) -> dict[str, Any]:
    """Reads what `write` wrote.

    Returns:
      Nested dicts of float32 arrays.

    Raises:
      WeightsError: the file is damaged, too large, or holds something else than finite
        float16 arrays.
    """
    arrays: dict[str, np.ndarray] = {}
    room = _MAX_PARAMETERS
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if not 0 < len(members) <= _MAX_ARRAYS:
                raise WeightsError(f"it holds {len(members)} arrays")
            for member in members:
                name = member.filename.removesuffix(".npy")
                if name in arrays or len(name) > _MAX_NAME:
                    raise WeightsError(f"{name[:_MAX_NAME]!r} cannot name weights")
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
    return nest(arrays)


def _to_half(name: str, leaf: Any) -> np.ndarray:
    array = np.asarray(leaf)
    # JAX's bfloat16 is no subtype of NumPy's floating, but converts.
    if not (np.issubdtype(array.dtype, np.floating) or array.dtype.name == "bfloat16"):
        raise WeightsError(f"{name!r} has dtype {array.dtype}, not a floating one")
    with np.errstate(over="ignore"):
        # In C order, as `read` wants it.
        half = array.astype(np.float16, order="C")
    if not np.isfinite(half).all():
        raise WeightsError(f"{name!r} has values that float16 cannot hold")
    return half


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
    array = np.frombuffer(content, np.float16).reshape(shape).astype(np.float32)
    if not np.isfinite(array).all():
        raise WeightsError(f"{name!r} holds values that are not finite")
    return array


def _read_header(name: str, file: BinaryIO) -> tuple[tuple[int, ...], np.dtype]:
    if np.lib.format.read_magic(file) != (1, 0):
        raise WeightsError(f"{name!r} has an unknown version of the .npy format")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    if fortran_order:
        raise WeightsError(f"{name!r} is not in C order")
    return shape, dtype
