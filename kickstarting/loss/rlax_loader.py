"""Loads rlax without TensorFlow.

rlax imports distrax, and so TensorFlow Probability, which loads TensorFlow wherever it
is installed and refuses the 2.8 that Reverb needs. Only TensorFlow Probability's JAX
half is used: while rlax loads, TensorFlow looks as if it were not installed.
"""

import importlib
import sys
from types import ModuleType


def load() -> ModuleType:
    """Returns the module rlax; TensorFlow is neither loaded nor disturbed."""
    if "rlax" in sys.modules:
        return sys.modules["rlax"]
    loaded = sys.modules.get("tensorflow")
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("rlax")
    finally:
        if loaded is None:
            del sys.modules["tensorflow"]
        else:
            sys.modules["tensorflow"] = loaded
