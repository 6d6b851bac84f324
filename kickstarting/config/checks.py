"""Checks of configurations, each with one line that says what is wrong."""

import math
from typing import Any


class ConfigError(ValueError):
    """A configuration that cannot be run; its message is one line."""


def require(condition: bool, message: str) -> None:
    """Raises ConfigError where the condition does not hold."""
    if not condition:
        raise ConfigError(message)


def require_positive(config: Any, *names: str) -> None:
    """Raises ConfigError where a field is not above 0 and finite."""
    for name in names:
        value = getattr(config, name)
        require(0 < value < math.inf, f"{name} must be above 0, not {value}")


def require_not_negative(config: Any, *names: str) -> None:
    """Raises ConfigError where a field is below 0 or not finite."""
    for name in names:
        value = getattr(config, name)
        require(value >= 0, f"{name} must not be negative, but is {value}")
        require(value < math.inf, f"{name} must be finite, but is {value}")


def require_choice(config: Any, name: str, choices: tuple[str, ...]) -> None:
    """Raises ConfigError where a field is not one of the choices."""
    value = getattr(config, name)
    require(value in choices, f"{name} is {value!r}, but must be one of {choices}")
