"""docs/settings.md, made of the settings: python -m launch.flags.settings_page."""

import pathlib

from kickstarting.config import settings
from launch.flags import derived, options, tables

PATH = pathlib.Path("docs/settings.md")
_HEAD = """\
# Settings

Every setting of `launch.train`, by group; `--help=GROUP` shows one on the terminal.
Each is declared once, as a field of a frozen dataclass (`kickstarting/config/`, and
`launch/flags/options.py` for what is no part of what is trained): its flag, `--help`,
`config.json`, what nodes are handed and this page follow from that. The second column
is its place in `config.json` and in `kickstarting.config.run.Config`. To add one, write
its field, and let `python -m launch.flags.settings_page` write this page again.

Whole numbers may be written `1e6`, `2M` or `500k`. `--config=runs/x/config.json` takes
all of a run's settings from there, its logdir too; flags that are given go on top.

What no flag says is as `--config` has it, else as `--preset` has it, else as it is
recommended for the suite or level, else the default; what was taken from where is
printed at the start. A run that goes on keeps, of the settings that are recommended for
anything, those that it was begun with.
"""


def text() -> str:
    """Returns the page."""
    sections = [_HEAD]
    by_path = {kind: settings.declared(kind) for kind in options.KINDS}
    groups = dict.fromkeys(each.group for found in by_path.values() for each in found)
    for group in groups:
        rows = [
            _row(setting, kind is options.KINDS[0])
            for kind, found in by_path.items()
            for setting in found
            if setting.group == group
        ]
        sections.append(
            f"\n## {group.name}: {group.summary}\n\n"
            "| flag | in config.json | default | range | |\n|---|---|---|---|---|\n"
            + "".join(rows)
        )
    return "".join((*sections, *tables.of_page()))


def _row(setting: settings.Setting, is_saved: bool) -> str:
    within = setting.within.text if setting.within else ", ".join(setting.choices)
    cells = (
        f"`--{setting.flag}`" if setting.flag else "",
        f"`{'.'.join(setting.path)}`" if is_saved else "",
        setting.otherwise or _default(setting),
        within,
        setting.about,
    )
    return f"| {' | '.join(each.replace('|', '/') for each in cells)} |\n"


def _default(setting: settings.Setting) -> str:
    value = derived.text(setting.default)
    return f"`{value}`" if value else ""


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
