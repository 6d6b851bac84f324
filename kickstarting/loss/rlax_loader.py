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
from typing import Any


def load() -> ModuleType:
    """Returns the module rlax; TensorFlow is neither loaded nor disturbed."""
    if "rlax" in sys.modules:
        return sys.modules["rlax"]
    with _without_tensorflow(), _on_first_use("distrax"):
        return importlib.import_module("rlax")


@contextlib.contextmanager
def _on_first_use(name: str) -> Iterator[None]:
    """Puts a stand-in among the modules that gives way to the module of that name.

    Its attributes are `Any` within the context, where only annotations read them.
    """
    spec = None if name in sys.modules else importlib.util.find_spec(name)
    if spec is None:
        yield
        return
    stand_in = importlib.util.module_from_spec(spec)
    is_within = True

    def attribute_of_module(attribute: str) -> Any:
        if is_within:
            return Any
        if sys.modules.get(name) is stand_in:
            sys.modules.pop(name, None)
        with _without_tensorflow():
            return getattr(importlib.import_module(name), attribute)

    # Asked for what a module does not have (PEP 562).
    stand_in.__dict__["__getattr__"] = attribute_of_module
    sys.modules[name] = stand_in
    yield
    is_within = False


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
