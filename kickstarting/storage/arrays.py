"""Flat dicts of arrays on the disk, by Orbax, and the names of a pytree's leaves."""

import logging as python_logging
import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from absl import logging

# dtype and shape of an array, as JSON gives them back: ['float32', [3, 4]].
Signature = list[Any]


def flatten(tree: Any) -> dict[str, Any]:
    """Returns a pytree's leaves, in its own order, by '/'-joined names.

    Raises:
      ValueError: two leaves have one name.
    """
    paths = jax.tree_util.tree_flatten_with_path(tree)[0]
    leaves: dict[str, Any] = {}
    for path, leaf in paths:
        name = jax.tree_util.keystr(path, simple=True, separator="/")
        if name in leaves:
            raise ValueError(f"two leaves of the tree are called {name!r}")
        leaves[name] = leaf
    return leaves


def to_numpy(leaves: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Returns the leaves as arrays of numbers.

    Raises:
      ValueError: a leaf is no array, or one of something else than numbers.
    """
    arrays = {}
    for name, leaf in leaves.items():
        try:
            array = np.asarray(leaf)
        except TypeError as error:
            raise ValueError(f"{name!r} is not an array ({error})") from error
        # bfloat16 has kind 'V' as structured types have, but no fields.
        if array.dtype.kind in "OUSmM" or array.dtype.names:
            raise ValueError(f"{name!r} has dtype {array.dtype}, not a number's")
        arrays[name] = array
    return arrays


def signature(leaf: Any) -> Signature:
    """Returns dtype and shape of an array, a ShapeDtypeStruct or a Python number."""
    if not hasattr(leaf, "dtype"):
        leaf = np.asarray(leaf)
    return [str(leaf.dtype), list(leaf.shape)]


def save(folder: pathlib.Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes the arrays; Orbax makes `folder` by a rename once all are written."""
    # Orbax refuses empty arrays; their signatures are all there is to them.
    filled = {name: array for name, array in arrays.items() if array.size}
    ocp = _orbax()
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
        checkpointer.save(folder, args=ocp.args.PyTreeSave(filled))


def load(
    folder: pathlib.Path, signatures: Mapping[str, Signature]
) -> dict[str, np.ndarray]:
    """Reads what `save` wrote.

    Args:
      folder: as given to `save`.
      signatures: of all the arrays that were saved.
    """
    empty = {name: value for name, value in signatures.items() if 0 in value[1]}
    ocp = _orbax()
    as_numpy = ocp.RestoreArgs(restore_type=np.ndarray)
    filled = dict.fromkeys(signatures.keys() - empty.keys(), as_numpy)
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
        arrays = checkpointer.restore(
            folder, args=ocp.args.PyTreeRestore(restore_args=filled)
        )
    return arrays | {name: np.zeros(shape, t) for name, (t, shape) in empty.items()}


class _OrbaxFilter(python_logging.Filter):
    """Drops what Orbax logs: 20 lines a save, and each error that it raises as well."""

    def filter(self, record: python_logging.LogRecord) -> bool:
        return "/orbax/" not in record.pathname


_ORBAX_FILTER = _OrbaxFilter()


def _orbax() -> Any:
    # Here, and not above: it takes half as long to load as JAX, before a run begins.
    import orbax.checkpoint

    logging.get_absl_logger().addFilter(_ORBAX_FILTER)
    return orbax.checkpoint
