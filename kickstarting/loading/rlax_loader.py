"""Loads rlax without TensorFlow, and distrax, which it imports, only on its first use.

distrax imports TensorFlow Probability, which loads TensorFlow wherever it is installed
and refuses the 2.8 that Reverb needs. Only TensorFlow Probability's JAX half is used:
while it loads, TensorFlow looks as if it were not installed. Nothing here uses distrax,
which takes several times as long to load as all the rest of rlax.
"""

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType

from kickstarting.loading import stand_in


def load() -> ModuleType:
    """Returns the module rlax; TensorFlow is neither loaded nor disturbed."""
    with stand_in.LOADING:
        if "rlax" in sys.modules:
            return sys.modules["rlax"]
        spec = None if "distrax" in sys.modules else importlib.util.find_spec("distrax")
        if spec is None:
            return _load_without_tensorflow("rlax")
        # Who looks for a module that is loaded is shown its spec.
        distrax = stand_in.StandIn("distrax", _load_without_tensorflow, __spec__=spec)
        sys.modules["distrax"] = distrax
        rlax = _load_without_tensorflow("rlax")
        distrax.open()
        return rlax


def _load_without_tensorflow(name: str) -> ModuleType:
    with stand_in.LOADING, _without_tensorflow():
        return importlib.import_module(name)


@contextlib.contextmanager
def _without_tensorflow() -> Iterator[None]:
    """Lets TensorFlow look as if it were not installed."""
    loaded = sys.modules.get("tensorflow")
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if loaded is None:
            del sys.modules["tensorflow"]
        else:
            sys.modules["tensorflow"] = loaded
