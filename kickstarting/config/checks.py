"""Checks of configurations, each with one line that says what is wrong."""


class ConfigError(ValueError):
    """A configuration that cannot be run; its message is one line."""


def require(condition: bool, message: str) -> None:
    """Raises ConfigError where the condition does not hold."""
    if not condition:
        raise ConfigError(message)
