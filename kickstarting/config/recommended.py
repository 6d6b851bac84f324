"""What suits a suite or a level, taken where nobody has said otherwise.

A row is named after a suite, after a level as suite:level, or, with a * at the end,
after all levels that begin so, and has values of settings by the settings' names. What
is further down in the table goes over what is above. The defaults in the settings'
declarations are for whatever has no row.
"""

from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

from kickstarting.config import run, settings

Row = Mapping[str, Any]

_GRIDS: Row = {
    # Four turns are no turn, and four toggles leave a door shut.
    "action_repeat": 1,
    # As https://github.com/lcswillems/rl-starter-files has it.
    "entropy_cost": 0.01,
    # The critic's gradient is divided by the returns' deviation, 0.1 at least, twice.
    # At 0.5, and twice this learning rate, most of the torso's units die in some runs;
    # at 0.05 the critic is slow to pass on what rare rewards say.
    "baseline_cost": 0.2,
    # Below what advantages deviate by while a level is learned. Not shown to help:
    # docs/tuning.md.
    "least_advantage_deviation": 0.2,
    "window_batches": 8,
    "passes": 8,
}
_DOOM: Row = {
    "action_repeat": 4,
    "reward_clipping": "none",
    "learning_rate": 5e-4,
    # Whatever the budget: a short run is the beginning of a long one.
    "anneal": True,
    "anneal_frames": 600_000,
    "final_learning_rate_share": 0.2,
    "entropy_cost": 0.003,
    "window_batches": 4,
    "passes": 4,
    # docs/tuning.md says what these are worth.
    "synchronous": True,
    "held_values": True,
}
_NEEDS_ITS_MISSION: Row = {"language": True}
# Espeholt et al. 2018, table D.3.
_LAB: Row = {"action_repeat": 4, "reward_clipping": "soft_asymmetric"}
ROWS: Mapping[str, Row] = {
    "gym": _GRIDS,
    # What a mission says is the same in all states of an episode, and what such a part
    # of the network learns moves all of them at once.
    "gym:MiniGrid-*": {"language": False},
    "gym:MiniGrid-Fetch*": _NEEDS_ITS_MISSION,
    "gym:MiniGrid-GoTo*": _NEEDS_ITS_MISSION,
    "gym:MiniGrid-LockedRoom*": _NEEDS_ITS_MISSION,
    "gym:MiniGrid-PutNear*": _NEEDS_ITS_MISSION,
    "xland": _GRIDS,
    "doom": _DOOM,
    "doom:basic": {
        "bootstrap_time_limit": False,
        # With four it takes a fifth longer: docs/tuning.md.
        "passes": 8,
    },
    "doom:defend_the_center": {
        # A bullet in vain costs a kill a hundred steps later. A longer horizon from the
        # start makes it slower, and it helps defend_the_line nothing: docs/tuning.md.
        "final_discount": 0.997,
        "discount_start_frames": 300_000,
        "discount_end_frames": 450_000,
    },
    "dmlab": _LAB,
    "dmlab30": _LAB,
}

# What is recommended for where nothing is said of these others either.
_NOT_BESIDE: Mapping[str, Sequence[str]] = {
    "final_discount": ("discount", "value_distillation_cost"),
}

# Numbers by level: a row says the level's own, and a run has all of them.
BY_LEVEL = tuple[tuple[str, float], ...]
_SETTINGS = settings.named(run.Config)
# Values by the settings' names, each with the row it is of.
_OfTask = dict[str, tuple[Any, str]]


class Recommendation(NamedTuple):
    """What is recommended for a run.

    Attributes:
      values: of settings, by their paths.
      rows: for each of these, the rows that say so.
      disputed: settings for which the tasks' recommendations differ, so that none is
        taken.
    """

    values: dict[settings.Path, Any]
    rows: dict[settings.Path, tuple[str, ...]]
    disputed: tuple[settings.Path, ...]


def for_tasks(
    tasks: Sequence[str],
    said: Container[settings.Path] = (),
    rows: Mapping[str, Row] = ROWS,
) -> Recommendation:
    """Returns what is recommended for a run of some tasks.

    A setting that is one for the run is recommended where the tasks agree; a task
    whose rows do not have it wants the default. Where levels disagree, their suites are
    asked.

    Args:
      tasks: suite:level names.
      said: paths of the settings that somebody has said, which are left alone.
      rows: the table.
    """
    found = [_of_task(task, rows) for task in tasks]
    of_suites = [_of_task(task.partition(":")[0], rows) for task in tasks]
    values: dict[settings.Path, Any] = {}
    origins: dict[settings.Path, tuple[str, ...]] = {}
    disputed: list[settings.Path] = []
    for name in dict.fromkeys(name for each in found for name in each):
        path = _SETTINGS[name].path
        others = _NOT_BESIDE.get(name, ())
        if any(_SETTINGS[each].path in said for each in (name, *others)):
            continue
        if _SETTINGS[name].kind == BY_LEVEL:
            values[path] = tuple(
                (task, each[name][0])
                for task, each in zip(tasks, found, strict=True)
                if name in each
            )
            agreeing = found
        else:
            agreeing = next(
                (each for each in (found, of_suites) if _agree(name, each)), []
            )
            if not agreeing:
                disputed.append(path)
                continue
            values[path] = _wanted(name, agreeing[0])
        origins[path] = tuple(
            dict.fromkeys(each[name][1] for each in agreeing if name in each)
        )
    return Recommendation(values, origins, tuple(disputed))


def with_recommended(config: run.Config) -> run.Config:
    """Returns a configuration with what is recommended for its tasks.

    `Config` knows no suites: its defaults are the same for all tasks. launch.train
    takes what is recommended (docs/settings.md) by itself, and this is the same for
    programs of one's own.

    Args:
      config: whatever is not at its default there stays as it is. To have a default
        where something else is recommended, set it in what is returned
        (dataclasses.replace).
    """
    values = settings.values(config)
    said = {
        each.path for each in _SETTINGS.values() if values[each.path] != each.default
    }
    recommended = for_tasks(config.tasks, said).values
    return settings.made(run.Config, {**values, **recommended})


def _wanted(name: str, of_task: _OfTask) -> Any:
    return of_task[name][0] if name in of_task else _SETTINGS[name].default


def _agree(name: str, of_tasks: Sequence[_OfTask]) -> bool:
    """Whether any of the tasks has a setting, and all want the same."""
    first = _wanted(name, of_tasks[0])
    return any(name in each for each in of_tasks) and all(
        _wanted(name, each) == first for each in of_tasks
    )


def _of_task(task: str, rows: Mapping[str, Row]) -> _OfTask:
    """Returns values for a task by the settings' names, each with the row it is of."""
    suite, _, _ = task.partition(":")
    return {
        name: (value, row)
        for row, values in rows.items()
        if row in (suite, task) or (row[-1] == "*" and task.startswith(row[:-1]))
        for name, value in values.items()
    }
