"""A setting: one field of a frozen dataclass, with all that is to be said of it.

  @dataclasses.dataclass(frozen=True)
  class LossConfig:
      discount: float = LOSS.setting(0.99, "[0, 1]").help("γ of the return.")

Default, help, range, the name of its flag and its group stand there and nowhere else:
flags, --help, config.json, what nodes are handed, docs/settings.md and the checks of
`check` are made of them.
"""

import dataclasses
import functools
import numbers
import typing
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kickstarting.config.checks import ConfigError
from kickstarting.config.ranges import Range

_DECLARED = "setting"
# Stands for the field's name in that of the flag.
_FIELD = "*"

Path = tuple[str, ...]


class Group(NamedTuple):
    """Settings that belong together.

    Attributes:
      name: of it, as --help=NAME takes it.
      summary: what its settings are of, in one line.
      prefix: of their flags' names, where the fields' own would not say enough.
    """

    name: str
    summary: str
    prefix: str = ""

    def setting(
        self,
        default: Any,
        allowed: str | tuple[str, ...] = (),
        flag: str = _FIELD,
        first: bool = False,
    ) -> "Setting":
        """Declares a field of a dataclass as a setting of this group; `help` ends it.

        Args:
          default: its value where none is given.
          allowed: the range of a number, see ranges.Range, or the texts that it may be;
            empty: any.
          flag: its name on the command line, in which `*` stands for the field's; by
            default that, after the group's prefix. Empty: it has none there.
          first: whether it is among those that a newcomer needs.
        """
        return Setting(
            path=(),
            kind=None,
            default=default,
            group=self,
            about="",
            within=Range.of(allowed) if isinstance(allowed, str) else None,
            choices=allowed if isinstance(allowed, tuple) else (),
            flag=self.prefix + flag if flag == _FIELD else flag,
            otherwise="",
            first=first,
        )


class Setting(NamedTuple):
    """A setting in its place in a configuration.

    Attributes:
      path: names of the fields that lead to it, its own last.
      kind: its type: bool, int, float, str, or a tuple of str or of pairs.
      default: see Group.setting; and so the following.
      group: that it belongs to.
      about: what it is for.
      within: its range; None: it is no number.
      choices: that it has; empty: any.
      flag: its name on the command line; empty: it has none.
      otherwise: what it becomes where its flag is not given, in words; empty: the
        default.
      first: whether a newcomer needs it.
    """

    path: Path
    kind: Any
    default: Any
    group: Group
    about: str
    within: Range | None
    choices: tuple[str, ...]
    flag: str
    otherwise: str
    first: bool

    def help(self, text: str) -> Any:
        """Returns the field that is declared.

        Args:
          text: what it is for, in sentences, for --help and the docs. The last may say
            what it becomes on the command line where it is not given, if that is not
            its default but follows from others: 'Default: half of total_frames.'
        """
        about, _, otherwise = " ".join(text.split()).partition(" Default: ")
        declared = self._replace(about=about, otherwise=otherwise.removesuffix("."))
        return dataclasses.field(default=self.default, metadata={_DECLARED: declared})

    @property
    def name(self) -> str:
        """Its name to a person: that of the flag, where it has one."""
        return self.flag or self.path[-1]

    def check(self, value: Any) -> None:
        """Checks one value.

        Raises:
          ConfigError: it is of another type, out of range, or none of the choices.
        """
        if not _fits(self.kind, value):
            words, _ = _KINDS.get(self.kind) or _KINDS[tuple]
            raise ConfigError(f"{self.name} must be {words}, not {value!r}")
        if self.within and value not in self.within:
            raise ConfigError(f"{self.name} must be {self.within}, not {value}")
        if self.choices and value not in self.choices:
            raise ConfigError(
                f"{self.name} must be one of {', '.join(self.choices)}, not {value!r}"
            )


_KINDS: dict[Any, tuple[str, Any]] = {
    bool: ("true or false", bool),
    int: ("a whole number", numbers.Integral),
    float: ("a number", numbers.Real),
    str: ("text", str),
    tuple: ("a list of texts or of pairs", tuple),
}


def _fits(kind: Any, value: Any) -> bool:
    """Returns whether a value is of a field's type."""
    if typing.get_origin(kind) is not tuple:
        is_other = isinstance(value, bool) and kind is not bool
        return isinstance(value, _KINDS[kind][1]) and not is_other
    first, *others = typing.get_args(kind)
    if others == [...]:
        return isinstance(value, tuple) and all(_fits(first, each) for each in value)
    return (
        isinstance(value, tuple)
        and len(value) == 1 + len(others)
        and all(map(_fits, (first, *others), value))
    )


@functools.cache
def declared(kind: Any) -> tuple[Setting, ...]:
    """Returns the settings of a configuration and of its parts, in their order.

    Args:
      kind: the dataclass.

    Raises:
      TypeError: a field is neither a setting nor a configuration, or it is a number
        without a range.
    """
    return tuple(_declared(kind, ()))


def _declared(kind: Any, above: Path) -> Iterator[Setting]:
    for field in dataclasses.fields(kind):
        path = (*above, field.name)
        if dataclasses.is_dataclass(field.type):
            yield from _declared(field.type, path)
            continue
        if _DECLARED not in field.metadata:
            raise TypeError(
                f"{kind.__name__}.{field.name} is no setting that says what it is"
            )
        setting = field.metadata[_DECLARED]
        if field.type in (int, float) and not setting.within:
            raise TypeError(f"{kind.__name__}.{field.name} needs a range")
        flag = setting.flag.replace(_FIELD, field.name)
        yield setting._replace(path=path, kind=field.type, flag=flag)


def named(kind: Any) -> dict[str, Setting]:
    """Returns the settings of a configuration by the names that a person knows."""
    return {each.name: each for each in declared(kind)}


def check(config: Any) -> None:
    """Checks every setting of a configuration by itself; its parts check their own.

    Args:
      config: an instance of a dataclass.

    Raises:
      ConfigError: naming the setting by its flag.
    """
    kind: Any = type(config)
    for setting in declared(kind):
        if len(setting.path) == 1:
            setting.check(getattr(config, setting.path[0]))


def values(config: Any) -> dict[Path, Any]:
    """Returns the value of every setting of a configuration, by its path."""
    kind: Any = type(config)
    return {
        setting.path: functools.reduce(getattr, setting.path, config)
        for setting in declared(kind)
    }


def made(kind: Any, given: Mapping[Path, Any]) -> Any:
    """Returns the configuration that has the given values, and else the defaults.

    Args:
      kind: the dataclass.
      given: values, by path.

    Raises:
      ConfigError: they make no configuration.
    """
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        if (field.name,) in given:
            fields[field.name] = given[field.name,]
        elif dataclasses.is_dataclass(field.type):
            inner = {
                path[1:]: each for path, each in given.items() if path[0] == field.name
            }
            fields[field.name] = made(field.type, inner)
    return kind(**fields)
