"""What is recommended, and what presets have, for --help and docs/settings.md."""

import textwrap
from collections.abc import Iterator

from kickstarting.config import presets, recommended, settings
from kickstarting.config import run as config_lib
from launch.flags import derived

_SETTINGS = settings.named(config_lib.Config)
_RECOMMENDED = "Recommended for a suite or level"


def of_help(columns: int) -> list[str]:
    """Returns the lines that end --help.

    Args:
      columns: of the terminal.
    """
    lines = ["", f"{_RECOMMENDED}, taken where nothing else says it:"]
    alike: dict[str, list[str]] = {}
    for row, values in recommended.ROWS.items():
        listed = " ".join(f"{name}={derived.text(values[name])}" for name in values)
        alike.setdefault(listed, []).append(row)
    for listed, rows in alike.items():
        lines += _wrapped(f"{', '.join(rows)}: {listed}", columns)
    for name, preset in presets.PRESETS.items():
        others = [
            f"{each}={derived.text(published.value)} ({_default(each)})"
            for each, published in preset.values.items()
            if published.value != _SETTINGS[each].default
        ]
        if others:
            lines += ["", f"What --preset={name} has otherwise than (the default):"]
            lines += _wrapped(", ".join(others), columns)
    return lines


def of_page() -> Iterator[str]:
    """Yields the sections that end docs/settings.md."""
    yield (
        f"\n## {_RECOMMENDED}\n\n"
        "A level's row goes over its suite's. A run of several tasks takes what its "
        "tasks agree on, and else the\ndefault; what is by level, such as "
        "`reward_scales`, it takes for each. `--norecommended` takes nothing.\n"
        "(`kickstarting/config/recommended.py`; `kickstarting.with_recommended` does "
        "the same for a `Config`.)\n\n"
        "| suite or level | flag | recommended | default | in config.json |\n"
        "|---|---|---|---|---|\n"
    )
    for row, values in recommended.ROWS.items():
        for name, value in values.items():
            cells = (f"`{derived.text(value)}`", _default(name), _path(name))
            yield _line(f"`{row}`", f"`--{name}`", *cells)
    for name, preset in presets.PRESETS.items():
        if preset.values:
            yield (
                f"\n## `--preset={name}`: {preset.summary}\n\n"
                f"A falling λ ends at {preset.advice_share:g} of the frames, not at "
                f"{presets.PRESETS[presets.NONE].advice_share:g}; all else that is not "
                "here is as without it.\n\n"
                f"| flag, with {name} | its value | default | in config.json | from |\n"
                "|---|---|---|---|---|\n"
            )
        for each, (value, source) in preset.values.items():
            cells = (f"`{derived.text(value) or 'none'}`", _default(each), _path(each))
            yield _line(each, *cells, source)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _path(name: str) -> str:
    return f"`{'.'.join(_SETTINGS[name].path)}`"


def _default(name: str) -> str:
    return derived.text(_SETTINGS[name].default) or "none"


def _wrapped(line: str, columns: int) -> list[str]:
    return textwrap.wrap(line, columns, initial_indent="  ", subsequent_indent="    ")
