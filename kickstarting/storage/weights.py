"""Weights as float16 in one safetensors file, read without trust.

Each array is named by its '/'-joined path in the nested dicts of parameters. Nothing is
unpickled, no name is used as a path on the disk, and every size is bounded before the
bytes that it announces are read.
"""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors.numpy

# Ten times the largest network that IMPALA used.
MAX_PARAMETERS = 2**24
MAX_ARRAYS = 10_000
MAX_NAME = 500
# What a file of so many parameters cannot exceed; for readers to check first.
MAX_BYTES = 3 * MAX_PARAMETERS
# Names and shapes of arrays, which take some twenty times that in memory.
_MAX_HEADER_BYTES = 2**20


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
      path: the file.
      params: nested dicts of floating-point arrays.

    Raises:
      WeightsError: there are none, float16 cannot hold one, or `read` would refuse
        them.
    """
    arrays = {name: _to_half(name, leaf) for name, leaf in flatten(params).items()}
    if not arrays:
        raise WeightsError("there are no weights to write")
    if "__metadata__" in arrays:
        raise WeightsError("'__metadata__' cannot name weights: the format needs it")
    # What nobody could read must not be written.
    checked(arrays)
    path.write_bytes(safetensors.numpy.save(arrays))


def read(path: pathlib.Path) -> dict[str, Any]:
    """Reads what `write` wrote.

    Returns:
      Nested dicts of float32 arrays.

    Raises:
      WeightsError: the file is damaged, too large, or holds something else than finite
        float16 arrays.
    """
    with open(path, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    header_bytes = int.from_bytes(content[:8], "little")
    if len(content) > MAX_BYTES or header_bytes > _MAX_HEADER_BYTES:
        raise WeightsError("it is no safetensors file, or one that is too large")
    try:
        arrays = safetensors.numpy.load(content)
    # A dtype that NumPy does not know, or too many axes, are no SafetensorError.
    except Exception as error:
        raise WeightsError(
            f"it is no sound safetensors file ({type(error).__name__})"
        ) from error
    # The library gives them in any order.
    return checked(dict(sorted(arrays.items())))


def checked(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Returns the parameters that a file's arrays are: nested dicts, in float32.

    Raises:
      WeightsError: they are none or too many or too large, something else than finite
        float16, or their names cannot be.
    """
    if not 0 < len(arrays) <= MAX_ARRAYS:
        raise WeightsError(f"it holds {len(arrays)} arrays")
    if sum(array.size for array in arrays.values()) > MAX_PARAMETERS:
        raise WeightsError(f"it holds more than {MAX_PARAMETERS} parameters")
    for name, array in arrays.items():
        if len(name) > MAX_NAME:
            raise WeightsError(f"{name[:MAX_NAME]!r} cannot name weights")
        if array.dtype != np.float16:
            raise WeightsError(f"{name!r} has dtype {array.dtype}, not float16")
        if not np.isfinite(array).all():
            raise WeightsError(f"{name!r} holds values that are not finite")
    return nest({name: array.astype(np.float32) for name, array in arrays.items()})


def _to_half(name: str, leaf: Any) -> np.ndarray:
    array = np.asarray(leaf)
    # JAX's bfloat16 is no subtype of NumPy's floating, but converts.
    if not (np.issubdtype(array.dtype, np.floating) or array.dtype.name == "bfloat16"):
        raise WeightsError(f"{name!r} has dtype {array.dtype}, not a floating one")
    with np.errstate(over="ignore"):
        # In C order, as the file has it.
        half = array.astype(np.float16, order="C")
    if not np.isfinite(half).all():
        raise WeightsError(f"{name!r} has values that float16 cannot hold")
    return half
