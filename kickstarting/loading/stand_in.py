"""A module that stands among the loaded ones for another, until something asks for it.

For packages that import at their top what takes seconds and hundreds of megabytes to
load, and which is used there in annotations and in functions that nobody here calls.
"""

import importlib
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

# Held by whoever loads something while others are stood in for: two threads at once
# would see each other's.
LOADING = threading.RLock()


class StandIn(ModuleType):
    """Has `Any` for every attribute until it is opened, and then the module's own."""

    def __init__(
        self,
        name: str,
        load: Callable[[str], ModuleType] = importlib.import_module,
        **known: Any,
    ) -> None:
        """Loads nothing.

        Args:
          name: of the module that this stands for.
          load: returns that module.
          **known: attributes that it has until it is opened.
        """
        super().__init__(name)
        self._load = load
        self._is_open = False
        self._own = frozenset(vars(self)) | {"_own"}
        vars(self).update(known)

    def open(self) -> None:
        """Lets attributes be those of the module, which the first of them loads."""
        for name in vars(self).keys() - self._own:
            delattr(self, name)
        self._is_open = True

    def __getattr__(self, attribute: str) -> Any:
        """Returns what this does not have itself.

        Raises:
          AttributeError: before this is open, for what Python asks of modules.
        """
        if self._is_open:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
            return getattr(self._load(self.__name__), attribute)
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return Any
