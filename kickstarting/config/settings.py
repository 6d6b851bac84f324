"""A setting: one field of a frozen dataclass, with all that is to be said of it.

  @dataclasses.dataclass(frozen=True)
  class LossConfig:
      discount: float = LOSS.setting(0.99, "γ of the return.", "[0, 1]")

Default, help, range, the name of its flag and its group stand there and nowhere else:
flags, --help, config.json, what nodes are handed, docs/settings.md and the checks of
`check` are made of them.
"""

import dataclasses
import functools
import math
import numbers
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kickstarting.config.checks import ConfigError

_DECLARED = "setting"
# Stands for the field's name in that of the flag.
_FIELD = "*"
_INTERVAL = re.compile(r"(0 or )?([\[(])(\S+), (\S+)([\])])")

Path = tuple[str, ...]


class Range(NamedTuple):
    """The numbers that a setting may be.

    Attributes:
      text: as it was declared, an interval such as '[0, 1)', '(0, inf)', or one that 0
        is outside of and allowed as well: '0 or [1024, 65000]'. What is infinite is
        never in it.
      least: where the interval begins.
      most: where it ends.
      has_least: whether the beginning belongs to it.
      has_most: whether the end does.
      or_zero: whether 0 is allowed beside it.
    """

    text: str
    least: float
    most: float
    has_least: bool
    has_most: bool
    or_zero: bool

    @classmethod
    def of(cls, text: str) -> "Range":
        """Returns the range that a declaration's text means."""
        found = _INTERVAL.fullmatch(text)
        if not found:
            raise TypeError(f"{text!r} is no interval such as '[0, 1)'")
        zero, begin, least, most, end = found.groups()
        return cls(
            text, float(least), float(most), begin == "[", end == "]", bool(zero)
        )

    def __contains__(self, value: object) -> bool:
        """Returns whether a number is in the range."""
        number: Any = value
        # Neither NaN nor what is infinite passes, and no whole number is too large.
        return (self.or_zero and number == 0) or (
            (self.least <= number if self.has_least else self.least < number)
            and (number <= self.most if self.has_most else number < self.most)
        )

    def __str__(self) -> str:
        """Returns what a value must be, as a sentence has it."""
        if not math.isinf(self.most):
            return self.text.replace("[", "in [", 1).replace("(", "in (", 1)
        zero = "0 or " if self.or_zero else ""
        return f"{zero}{'at least' if self.has_least else 'above'} {self.least:g}"


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
        help: str,
        within: str = "",
        *,
        choices: tuple[str, ...] = (),
        flag: str | None = None,
        otherwise: str = "",
        first: bool = False,
    ) -> Any:
        """Declares a field of a dataclass as a setting of this group.

        Args:
          default: its value where none is given.
          help: what it is for, in one or two sentences, for --help and the docs.
          within: the range of a number, see Range.
          choices: the texts that it may be; empty: any.
          flag: its name on the command line; None: prefix and field's name; empty: it
            has none there.
          otherwise: what it becomes on the command line where it is not given, in
            words, if that is not `default`.
          first: whether it is among those that a newcomer needs.
        """
        # What only the field knows, its name and its type, `declared` puts in.
        name = self.prefix + _FIELD if flag is None else flag
        setting = Setting(
            path=(),
            kind=None,
            default=default,
            group=self,
            help=help,
            within=Range.of(within) if within else None,
            choices=choices,
            flag=name,
            otherwise=otherwise,
            first=first,
        )
        return dataclasses.field(default=default, metadata={_DECLARED: setting})


class Setting(NamedTuple):
    """A setting in its place in a configuration.

    Attributes:
      path: names of the fields that lead to it, its own last.
      kind: its type: bool, int, float, str, or a tuple of str or of pairs.
      default: see Group.setting; and so the following.
      group: that it belongs to.
      help: what it is for.
      within: its range; None: it is no number.
      choices: that it has; empty: any.
      flag: its name on the command line; empty: it has none.
      otherwise: what it becomes where its flag is not given, in words.
      first: whether a newcomer needs it.
    """

    path: Path
    kind: Any
    default: Any
    group: Group
    help: str
    within: Range | None
    choices: tuple[str, ...]
    flag: str
    otherwise: str
    first: bool

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


def _declared(kind: type[Any], above: Path) -> Iterator[Setting]:
    for field in dataclasses.fields(kind):
        path = (*above, field.name)
        if dataclasses.is_dataclass(field.type):
            yield from _declared(typing.cast(type[Any], field.type), path)
            continue
        if _DECLARED not in field.metadata:
            raise TypeError(
                f"{kind.__name__}.{field.name} is not declared as a setting"
            )
        setting = field.metadata[_DECLARED]
        if field.type in (int, float) and not setting.within:
            raise TypeError(f"{kind.__name__}.{field.name} needs a range")
        flag = setting.flag.replace(_FIELD, field.name)
        yield setting._replace(path=path, kind=field.type, flag=flag)


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


def made(kind: type[Any], given: Mapping[Path, Any]) -> Any:
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
            fields[field.name] = made(typing.cast(type[Any], field.type), inner)
    return kind(**fields)
