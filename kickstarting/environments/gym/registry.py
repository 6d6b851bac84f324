"""Gymnasium's environments by their ids: what there is, and how one is made."""

import os
from typing import Any

from absl import logging

from kickstarting.environments import base

_NAMING = (
    "what a module registers is named gym:MODULE:ID, and modules are looked for where "
    "the command is started, in PYTHONPATH and among what is installed"
)
_ALE_MODULE = "ale_py"
_ALE = ": pip install ale-py"
# Near enough for a slip of the hand.
_LIKENESS = 0.75
_RGB = "rgb_array"


def gymnasium() -> Any:
    """Returns the module, with MiniGrid and BabyAI registered.

    Raises:
      base.EnvironmentConfigError: it is not installed.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    try:
        import gymnasium as module

        # Importing it registers MiniGrid and BabyAI.
        import minigrid  # noqa: F401
    except ImportError as error:
        raise base.EnvironmentConfigError(
            f"the gym suite needs {error.name}, which is not installed: "
            "pip install gymnasium minigrid"
        ) from error
    return module


def make(level: str, rendered: bool = False) -> Any:
    """Makes the environment of an id or MODULE:ID.

    Args:
      level: the id.
      rendered: has it draw itself as RGB, if it can.

    Raises:
      base.EnvironmentConfigError: there is none, or it cannot be made; in one line.
    """
    library = gymnasium()
    try:
        environment = library.make(level, disable_env_checker=True)
    except library.error.UnregisteredEnv as error:
        advice = _advice(level, tuple(library.registry))
        raise base.EnvironmentConfigError(
            f"gym has no level {level!r}{advice}"
        ) from error
    except ModuleNotFoundError as error:
        missing = getattr(error.__cause__ or error, "name", None)
        raise base.EnvironmentConfigError(
            f"gym:{level} needs the module {missing}, which is not found"
            f"{_ALE if missing == _ALE_MODULE else f': {_NAMING}'}"
        ) from error
    except library.error.Error as error:
        raise base.EnvironmentConfigError(
            f"gym:{level} cannot be made: {_line(error)}"
        ) from error
    # It is others' code, which may fail in any way.
    except Exception as error:
        raise base.EnvironmentConfigError(
            f"gym:{level} cannot be made: {type(error).__name__}: {_line(error)}"
        ) from error
    modes = (environment.metadata or {}).get("render_modes", ())
    if not rendered or _RGB not in modes:
        return environment
    try:
        drawn = library.make(level, disable_env_checker=True, render_mode=_RGB)
    except Exception as error:  # noqa: BLE001 - a video may do without
        logging.warning("gym:%s cannot be rendered: %s", level, _line(error))
        return environment
    environment.close()
    return drawn


def _advice(level: str, names: tuple[str, ...]) -> str:
    module, _, name = level.rpartition(":")
    if name.startswith("ALE/") and not module:
        return f"{_ALE}, and name the task gym:{_ALE_MODULE}:{level}"
    return base.nearest_name(name, names, _LIKENESS) or f": {_NAMING}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
