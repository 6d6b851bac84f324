"""--help: what a newcomer needs, and by group what the rest do.

--help names the groups of settings, --help=GROUP explains one, --helpfull everything.
"""

import sys
import textwrap
from collections.abc import Iterable, Iterator

from absl import flags

from kickstarting.config import settings
from kickstarting.config.checks import ConfigError
from kickstarting.environments import base
from launch.flags import derived, tables

_COLUMNS = 80
_ALONE = "true"
# Whoever has this flag takes what is recommended.
_CHOOSES = "recommended"


class _WantedParser(flags.ArgumentParser[str]):
    """Parses a flag that may stand alone; empty: it is not wanted."""

    def parse(self, argument: str) -> str:
        return "" if argument == "false" else argument


# absl defines both itself where its own app.run is the entry point, as in tests.
_HELP = flags.DEFINE_flag(
    flags.Flag(
        _WantedParser(),
        None,
        "help",
        "",
        "Explain the flags and end; --help=GROUP: those of one group of settings.",
        short_name="h",
        boolean=True,
        allow_override=True,
    )
)
_HELPFULL = flags.DEFINE_bool(
    "helpfull", False, "Explain all flags, libraries' as well.", allow_override=True
)


def wanted(program: str) -> str:
    """Returns what --help, --help=GROUP or --helpfull asks for; empty: none is given.

    Args:
      program: its name, as the process was given it.

    Raises:
      ConfigError: there is no such group.
    """
    if not _HELP.value and not _HELPFULL.value:
        return ""
    groups = {each.group.name: each.group for each in derived.DEFINED.values()}
    about = [f"{sys.modules['__main__'].__doc__}"]
    own = flags.FLAGS.flags_by_module_dict().get(program, [])
    if _HELPFULL.value:
        about += [_flag(each) for each in own]
        for group in groups.values():
            about += ["", f"{group.name}: {group.summary}", *_settings(group)]
        if _CHOOSES in derived.DEFINED:
            about += tables.of_help(_COLUMNS)
        about += ["", "libraries", *map(_flag, _of_libraries(program))]
    elif _HELP.value == _ALONE:
        about += [_flag(each) for each in own]
        about += [_setting(each) for each in derived.DEFINED.values() if each.first]
        about += list(_groups(groups.values()))
        if _CHOOSES in derived.DEFINED:
            about += tables.of_help(_COLUMNS)
    elif _HELP.value in groups:
        about = list(_settings(groups[_HELP.value]))
    else:
        near = base.nearest_name(_HELP.value, list(groups))
        names = ", ".join(groups) or "none"
        raise ConfigError(f"help has no group {_HELP.value!r}{near}: there are {names}")
    return "\n".join(about)


def _groups(groups: Iterable[settings.Group]) -> Iterator[str]:
    others = [each.group for each in derived.DEFINED.values() if not each.first]
    if others:
        yield "\nThe others, by group (--help=GROUP explains one, --helpfull all):"
    for group in groups:
        if group in others:
            yield f"  {group.name:<12}{group.summary} ({others.count(group)})"


def _settings(group: settings.Group) -> Iterator[str]:
    return (_setting(each) for each in derived.DEFINED.values() if each.group == group)


def _of_libraries(program: str) -> Iterator[flags.Flag]:
    for module, found in flags.FLAGS.flags_by_module_dict().items():
        if module != program:
            yield from (each for each in found if each.name not in derived.DEFINED)


def _setting(setting: settings.Setting) -> str:
    flag = flags.FLAGS[setting.flag]
    default = setting.otherwise or _text(flag)
    within = f", {setting.within}" if setting.within else ""
    known = f" Default: {default or 'none'}{within}."
    return _described(flag, setting.about + known)


def _flag(flag: flags.Flag) -> str:
    # absl puts the choices before the help of an enum.
    help = (flag.help or "").partition(">: ")[2] or flag.help or ""
    default = _text(flag)
    return _described(flag, help + (f" Default: {default}." if default else ""))


def _text(flag: flags.Flag) -> str:
    return (flag.default_as_str or "").strip("'")


def _described(flag: flags.Flag, about: str) -> str:
    choices = getattr(flag.parser, "enum_values", None) or (flag.flag_type(),)
    how = f"=<{'|'.join(choices)}>"
    lines = [f"--[no]{flag.name}" if flag.boolean else f"--{flag.name}{how}"]
    lines += [f"    {line}" for line in textwrap.wrap(about, _COLUMNS)]
    return "\n".join(lines)
