"""absl flags made of settings, and what a person gave by them.

Nothing heavy is loaded here: flags are read before anything starts a thread.
"""

import csv
import io
import typing
from collections.abc import Container, Iterable
from typing import Any

from absl import flags

from kickstarting.config import settings
from kickstarting.config.checks import ConfigError
from launch.flags import counts

# Settings that have a flag in this process, by the flag's name.
DEFINED: dict[str, settings.Setting] = {}
_FACTORS = tuple[tuple[str, float], ...]
# What their items mean depends on the tasks: launch.flags.teacher_map.
_TEACHERS = tuple[tuple[str, str], ...]


def define(kind: Any, only: Container[str] | None = None) -> None:
    """Defines a flag for each setting of a configuration that has none yet.

    Args:
      kind: the dataclass.
      only: names of the flags that are wanted; None: all.
    """
    for setting in settings.declared(kind):
        wanted = only is None or setting.flag in only
        if setting.flag and wanted and setting.flag not in DEFINED:
            _define(setting)
            DEFINED[setting.flag] = setting


def _define(setting: settings.Setting) -> None:
    name, help = setting.flag, setting.about
    default = None if setting.otherwise else setting.default
    # Launchpad defines its own again when it is loaded, which is late: it takes
    # seconds.
    override = {"allow_override": True} if name.startswith("lp_") else {}
    if setting.kind is bool:
        flags.DEFINE_bool(name, default, help, **override)
    elif setting.kind is int:
        counts.define(name, default, help)
    elif setting.kind is float:
        flags.DEFINE_float(name, default, help, **override)
    elif setting.choices:
        flags.DEFINE_enum(name, default, setting.choices, help, **override)
    elif setting.kind is str:
        flags.DEFINE_string(name, default, help, **override)
    else:
        flags.DEFINE_list(name, list(setting.default), help, **override)


def given(kind: Any) -> dict[settings.Path, Any]:
    """Returns the values of those settings whose flags a person gave, by their paths.

    Args:
      kind: the dataclass, whose flags are defined.

    Raises:
      ConfigError: one is out of range.
    """
    found = {}
    for setting in settings.declared(kind):
        flag = flags.FLAGS[setting.flag] if setting.flag in DEFINED else None
        if flag is None or flag.using_default_value or flag.value is None:
            continue
        value = flag.value
        if typing.get_origin(setting.kind) is tuple:
            value = tuple(item.strip() for item in value)
        if setting.kind == _FACTORS:
            value = _factors(setting.flag, value)
        if setting.kind != _TEACHERS:
            setting.check(value)
        found[setting.path] = value
    return found


def _factors(flag: str, items: Iterable[str]) -> tuple[tuple[str, float], ...]:
    pairs = []
    for item in items:
        name, separator, number = item.rpartition("=")
        try:
            pairs.append((name, float(number)))
        except ValueError:
            separator = ""
        if not separator or not name:
            raise ConfigError(f"--{flag} must be name=number pairs, not {item!r}")
    return tuple(pairs)


def made(kind: Any) -> Any:
    """Returns the configuration that the flags say, and else its defaults.

    Args:
      kind: the dataclass.

    Raises:
      ConfigError: a flag is out of range, or flags contradict each other.
    """
    return settings.made(kind, given(kind))


def arguments(config: Any, left_out: Container[str] = ()) -> list[str]:
    """Returns the flags that make a configuration: those that are not at their default.

    Args:
      config: an instance of a dataclass.
      left_out: names of flags that are not wanted.
    """
    values = settings.values(config)
    kind: Any = type(config)
    return [
        argument(setting.flag, values[setting.path])
        for setting in settings.declared(kind)
        if setting.flag
        and setting.flag not in left_out
        and (setting.otherwise or values[setting.path] != setting.default)
    ]


def argument(flag: str, value: Any) -> str:
    """Returns a flag with its value, as one word of a command line."""
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no{flag}"
    return f"--{flag}={text(value)}"


def text(value: Any) -> str:
    """Returns a setting's value as a person types it."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, tuple):
        return str(value)
    items = [
        each if isinstance(each, str) else "=".join(map(str, each)) for each in value
    ]
    line = io.StringIO()
    # As absl reads lists.
    csv.writer(line, lineterminator="").writerow(items)
    return line.getvalue()
