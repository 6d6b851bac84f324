"""Kickstarting deep reinforcement learning (Schmitt et al. 2018), as a library.

The names of `__all__` are what docs/library.md tells of and what stays as it is. Each
is loaded when it is first used: to import this package takes no time, and no package
beside Python's own.
"""

import importlib
from typing import Any

# Where each public name is.
_HOMES = {
    "CheckpointConfig": ("kickstarting.config.run", "CheckpointConfig"),
    "Config": ("kickstarting.config.run", "Config"),
    "ConfigError": ("kickstarting.config.checks", "ConfigError"),
    "KickstartingConfig": ("kickstarting.config.teachers", "KickstartingConfig"),
    "LossConfig": ("kickstarting.config.agent", "LossConfig"),
    "NetworkConfig": ("kickstarting.config.agent", "NetworkConfig"),
    "Observation": ("kickstarting.agent.trajectory", "Observation"),
    "OptimiserConfig": ("kickstarting.config.agent", "OptimiserConfig"),
    "Teacher": ("kickstarting.agent.trajectory", "Teacher"),
    "Trained": ("kickstarting.ring.training", "Trained"),
    "kickstarting_loss": ("kickstarting.loss.distillation", "kickstarting_loss"),
    "kickstarting_weight": ("kickstarting.loss.schedules", "kickstarting_weight"),
    "load_teacher": ("kickstarting.teaching.teachers", "load"),
    "train": ("kickstarting.ring.training", "train"),
    "with_recommended": ("kickstarting.config.recommended", "with_recommended"),
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value = getattr(importlib.import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
