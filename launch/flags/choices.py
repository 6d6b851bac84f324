"""What settings are that no flag gives and no saved configuration has.

What a preset has; what is recommended for the tasks, or, where their folder holds a run
that goes on, what that run was begun with: the table may have become another one since.
"""

import os
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kickstarting.config import presets, recommended, saved, settings
from kickstarting.config import run as config_lib
from kickstarting.reporting import run_files
from launch.flags import derived, options
from launch.monitoring import run_folder

_SETTINGS = settings.named(config_lib.Config)
_BY_PATH = {each.path: each for each in _SETTINGS.values()}
# Settings of which earlier runs had another default.
_NEW_DEFAULTS = ("anneal",)
_Values = Mapping[settings.Path, Any]


class Choices(NamedTuple):
    """What was chosen.

    Attributes:
      values: of settings, by their paths.
      notes: lines that say what was taken from where.
    """

    values: dict[settings.Path, Any]
    notes: tuple[str, ...]


def choose(
    origins: options.Origins,
    tasks: Sequence[str],
    logdir: str,
    said: Collection[settings.Path],
) -> Choices:
    """Returns what settings are that nobody has said.

    Args:
      origins: where they may come from.
      tasks: of the run.
      logdir: of the run.
      said: paths of the settings that somebody has said.
    """
    of_preset = {
        _SETTINGS[name].path: published.value
        for name, published in presets.PRESETS[origins.preset].values.items()
        if _SETTINGS[name].path not in said
    }
    notes: list[str] = []
    if origins.preset != presets.NONE:
        others = {
            path: value
            for path, value in of_preset.items()
            if value != _BY_PATH[path].default
        }
        listed = _listed(others) or "nothing, all has been said"
        notes.append(f"Preset {origins.preset}, where no default: {listed}")
    if origins.recommended:
        values, more = _recommended(tasks, logdir, {*said, *of_preset})
        return Choices({**of_preset, **values}, (*notes, *more))
    return Choices(of_preset, tuple(notes))


def reward_notes(config: config_lib.Config) -> Iterator[str]:
    """Yields how a run's rewards are scaled and clipped, if it learns from them."""
    loss = config.resolved_loss
    if loss.reinforcement:
        scales = [f"{task} × {scale:g}" for task, scale in loss.reward_scales]
        scaled = f"{', '.join(scales)}, then " if scales else ""
        yield f"Rewards: {scaled}reward_clipping={loss.reward_clipping}"


def _recommended(
    tasks: Sequence[str], logdir: str, said: Container[settings.Path]
) -> tuple[dict[settings.Path, Any], Iterator[str]]:
    """Returns what is recommended, or a run was begun with, and lines of that."""
    found = recommended.for_tasks(tasks, said)
    names = {name for row in recommended.ROWS.values() for name in row}
    names.update(_NEW_DEFAULTS)
    values = begun_with(tasks, logdir)
    begun = {}
    for setting in (_SETTINGS[name] for name in sorted(names) if values):
        value = values.get(setting.path, setting.default)
        recommends = found.values.get(setting.path, setting.default)
        if setting.path not in said and value != recommends:
            begun[setting.path] = value
    return {**found.values, **begun}, _told(found, begun, logdir)


def begun_with(tasks: Sequence[str], logdir: str) -> dict[settings.Path, Any]:
    """Returns what the run of a folder was begun with.

    Nothing where it holds no checkpoint of a run of these tasks to go on from.

    Args:
      tasks: of the run that is to go on.
      logdir: its folder.
    """
    folders = (logdir, os.path.join(logdir, "member_0"))
    if not any(os.path.isdir(run_folder.checkpoints(each)) for each in folders):
        return {}
    path = os.path.join(logdir, run_files.CONFIG_FILE)
    try:
        values, _ = saved.read(path, config_lib.Config, options.Options)
    except config_lib.ConfigError:
        # Nothing is to be known of it; what it cannot go on with is told elsewhere.
        return {}
    return values if values.get(("tasks",)) == tuple(tasks) else {}


def _told(
    found: recommended.Recommendation, begun: _Values, logdir: str
) -> Iterator[str]:
    """Yields what was taken of the recommendations, and what of the folder's run."""
    by_rows: dict[tuple[str, ...], dict[settings.Path, Any]] = {}
    for path, value in found.values.items():
        if path not in begun:
            by_rows.setdefault(found.rows[path], {})[path] = value
    parts = [
        f"{_listed(values)} (recommended for {', '.join(rows)})"
        for rows, values in by_rows.items()
    ]
    disputed = [path for path in found.disputed if path not in begun]
    if disputed:
        parts.append(
            f"{_listed({path: _BY_PATH[path].default for path in disputed})} (the "
            "default: what is recommended for the tasks differs)"
        )
    if parts:
        yield f"Settings: {', '.join(parts)}"
    yield from begun_notes(begun, logdir)


def begun_notes(begun: _Values, logdir: str) -> Iterator[str]:
    """Yields what was taken of a folder's run, if anything was.

    Args:
      begun: values of settings, by their paths.
      logdir: the folder.
    """
    if begun:
        yield f"Settings that {logdir} was begun with: {_listed(begun)}"


def _listed(values: _Values) -> str:
    return ", ".join(
        f"{_BY_PATH[path].name}={derived.text(value)}" for path, value in values.items()
    )
