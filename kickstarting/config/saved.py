"""The configuration in a run's config.json, read again."""

import json
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from kickstarting.config import settings
from kickstarting.config.checks import ConfigError

# Where config.json, beside where the run comes from, has its settings.
KEY = "config"


def read(path: str, *kinds: Any) -> list[dict[settings.Path, Any]]:
    """Returns, for each kind of configuration, the values of its settings by path.

    What has been added to them since the file was written is missing.

    Args:
      path: of the file.
      *kinds: the dataclasses whose settings it may have.

    Raises:
      ConfigError: it cannot be read, has a setting that none of the kinds has, or one
        has a value that it cannot have.
    """
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        given = dict(_flat(content[KEY], ()))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigError(f"{path} is no config.json of a run") from error
    found = []
    for kind in kinds:
        values = {}
        for setting in settings.declared(kind):
            if setting.path in given:
                values[setting.path] = _value(path, setting, given.pop(setting.path))
        found.append(values)
    if given:
        raise ConfigError(
            f"{path} has a setting that is unknown here: {'.'.join(min(given))}"
        )
    return found


def _flat(
    content: Mapping[str, Any], above: settings.Path
) -> Iterator[tuple[settings.Path, Any]]:
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _flat(value, (*above, name))
        else:
            yield (*above, name), value


def _value(path: str, setting: settings.Setting, value: Any) -> Any:
    """Returns a value as its field has it."""
    if typing.get_origin(setting.kind) is tuple and isinstance(value, list):
        value = tuple(tuple(each) if isinstance(each, list) else each for each in value)
    try:
        setting.check(value)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return value
