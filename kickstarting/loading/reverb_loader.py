"""Loads Reverb without TensorFlow's Python code, of which only its datasets make use.

That code takes ten times as long to load as Reverb, and 300 MB in every process that
writes to a queue, reads from it or serves it. Of TensorFlow Reverb's library needs one
shared library, which is loaded. What of Reverb does need TensorFlow (its datasets, its
TensorFlow client, tables with a signature) loads it on its first use.
"""

import contextlib
import ctypes
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from kickstarting.loading import stand_in

# What Reverb imports of TensorFlow.
_OF_TENSORFLOW = (
    "tensorflow.compat",
    "tensorflow.compat.v1",
    "tensorflow.python",
    "tensorflow.python.framework",
    "tensorflow.python.framework.tensor_shape",
    "tensorflow.python.framework.tensor_spec",
    "tensorflow.python.saved_model",
    "tensorflow.python.saved_model.nested_structure_coder",
)
# Modules of Reverb that are made of TensorFlow's operations, and what each defines.
_OPERATIONS = {
    "TFClient": "reverb.tf_client",
    "TimestepDataset": "reverb.timestep_dataset",
    "TrajectoryDataset": "reverb.trajectory_dataset",
}
_VERSION_CHECK = "reverb.platform.default.ensure_tf_install"
_LIBRARY = "libtensorflow_framework.so.2"


def load() -> ModuleType:
    """Returns the module reverb; TensorFlow, where it is loaded, stays as it is.

    Raises:
      ImportError: Reverb or TensorFlow is not installed.
    """
    with stand_in.LOADING:
        if "reverb" in sys.modules or "tensorflow" in sys.modules:
            return importlib.import_module("reverb")
        spec = importlib.util.find_spec("tensorflow")
        folders = (spec and spec.submodule_search_locations) or []
        library = os.path.join(*folders[:1], _LIBRARY)
        if not os.path.exists(library):
            return importlib.import_module("reverb")
        # Reverb's library finds it by its name once it is loaded.
        ctypes.CDLL(library)
        with _stood_in_for(folders):
            reverb = importlib.import_module("reverb")
    for name in _OPERATIONS:
        del reverb.__dict__[name]
    # Asked for what a module does not have (PEP 562).
    reverb.__dict__["__getattr__"] = _operations
    return reverb


def _operations(name: str) -> Any:
    if name not in _OPERATIONS:
        raise AttributeError(f"module 'reverb' has no attribute {name!r}")
    return getattr(importlib.import_module(_OPERATIONS[name]), name)


@contextlib.contextmanager
def _stood_in_for(tensorflow_folders: list[str]) -> Iterator[None]:
    """Puts stand-ins among the modules, and takes them out again, open."""
    # Its compiled messages are real: Reverb's are made of them.
    tensorflow = stand_in.StandIn(
        "tensorflow", __path__=tensorflow_folders, __version__="not loaded"
    )
    stand_ins = {"tensorflow": tensorflow}
    for name in (*_OF_TENSORFLOW, *_OPERATIONS.values()):
        stand_ins[name] = stand_in.StandIn(name)
        parent, _, child = name.rpartition(".")
        if parent in stand_ins:
            setattr(stand_ins[parent], child, stand_ins[name])
    stand_ins[_VERSION_CHECK] = stand_in.StandIn(
        _VERSION_CHECK, ensure_tf_version=lambda: None
    )
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, each in stand_ins.items():
            sys.modules.pop(name, None)
            each.open()
