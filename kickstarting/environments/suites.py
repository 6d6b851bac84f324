"""Every environment behind one name, `suite:level`.

A suite is a module with levels(), spec(level, action_repeat) and make(settings); those
of DeepMind Lab offer a choice of action sets, which their spec takes as well. It is
imported when it is first asked for: the workers load this module, and JAX, which
`xland` brings, must stay out of them. What is behind an id of Gymnasium anybody may
have written: that suite is imported in workers, and where a look is taken, alone.
"""

import functools
import importlib
import importlib.util
import json
import pathlib
from collections.abc import Collection, Sequence
from importlib import metadata
from typing import Any

from kickstarting.config import run as config_lib
from kickstarting.environments import base
from kickstarting.environments.dmlab import levels as dmlab_levels
from kickstarting.environments.stepping import batch, look, workers

_MODULES = {
    "dmlab": "kickstarting.environments.dmlab.dmlab",
    "dmlab30": "kickstarting.environments.dmlab.dmlab30",
    "doom": "kickstarting.environments.doom.doom",
    "gym": "kickstarting.environments.gym.gymnasium_adapter",
    "xland": "kickstarting.environments.xland.xland",
}
SUITES = tuple(_MODULES)

# DeepMind Lab's: not on a package registry.
LAB_SUITES = ("dmlab", "dmlab30")

# What each other suite plays with; workers import it, and a suite's module need not.
_PACKAGES = {"doom": "vizdoom", "gym": "gymnasium", "xland": "xminigrid"}

# What the workers of a suite import beside its module, and share: nothing that starts a
# thread, or that others may have written.
_PRELOADED = {
    "dmlab": (),
    "dmlab30": (),
    "doom": ("cv2", "vizdoom"),
    "gym": ("gymnasium", "minigrid"),
}
# By these Gymnasium imports others' modules with itself.
_GYMNASIUM_PLUGINS = "gymnasium.envs"

# What looks have found, by task and action_repeat.
_seen: dict[tuple[str, int], base.EnvironmentSpec] = {}

_REFERENCE_SCORES = pathlib.Path(__file__).with_name("reference_scores.json")


def split_task(task: str) -> tuple[str, str]:
    """Returns the suite and the level of `suite:level`.

    Raises:
      base.EnvironmentConfigError: the form is another, or the suite is unknown.
    """
    suite, colon, level = task.partition(":")
    if not colon or not level:
        raise base.EnvironmentConfigError(
            f"task {task!r} must be suite:level, e.g. doom:basic; suites are "
            f"{', '.join(SUITES)}"
        )
    if suite not in SUITES:
        raise base.EnvironmentConfigError(
            f"task {task!r} names an unknown suite{base.nearest_name(suite, SUITES)}; "
            f"suites are {', '.join(SUITES)}"
        )
    return suite, level


def levels(suite: str) -> tuple[str, ...]:
    """Returns the suite's levels; `gym` takes other registered ids as well.

    Raises:
      base.EnvironmentConfigError: the suite is unknown or not installed.
    """
    return _module(suite).levels()


def environment_spec(
    task: str,
    action_repeat: int = base.ACTION_REPEAT,
    action_set: str = "default",
    deadline_seconds: float = config_lib.ENVIRONMENT_DEADLINE_SECONDS,
) -> base.EnvironmentSpec:
    """Returns what an agent must know of a task.

    Args:
      task: `suite:level`.
      action_repeat: environment frames for each agent step.
      action_set: one of config.LAB_ACTION_SETS; other suites have but one set.
      deadline_seconds: see TaskSettings; a level of `gym` is made once for it.

    Raises:
      base.EnvironmentConfigError: there is no such task, or it cannot be played here.
    """
    suite, level = split_task(task)
    if suite in LAB_SUITES:
        return _module(suite).spec(level, action_repeat, action_set)
    if action_set != "default":
        raise base.EnvironmentConfigError(
            f"{task} has one action set: the {action_set} one is for "
            f"{' and '.join(LAB_SUITES)}"
        )
    if suite == "gym":
        return _looked_at(task, action_repeat, deadline_seconds)
    return _module(suite).spec(level, action_repeat)


def check_installed(
    task: str, lab: config_lib.LabConfig = config_lib.LabConfig()
) -> None:
    """Checks that this machine has what plays the task.

    Args:
      task: `suite:level`.
      lab: names what the suites of DeepMind Lab need beside it.

    Raises:
      base.EnvironmentConfigError: it has not, or the suite is unknown.
    """
    suite, _ = split_task(task)
    if suite in LAB_SUITES:
        _module(suite).check(task, lab)
        return
    package = _PACKAGES[suite]
    if suite == "gym" and importlib.util.find_spec(package):
        # Its plugins are others', and are imported with it.
        return
    try:
        importlib.import_module(package)
    except ImportError as error:
        raise base.EnvironmentConfigError(
            f"the {suite} suite needs {package}, which cannot be imported ({error}): "
            f"pip install {package}"
        ) from error


def make_environment(settings: base.TaskSettings) -> base.SpecifiedEnvironment:
    """Makes one environment in this process.

    Raises:
      base.EnvironmentConfigError: there is no such task, or it cannot be played here.
    """
    suite, _ = split_task(settings.task)
    return _module(suite).make(settings)


def make_batch(
    settings: Sequence[base.TaskSettings],
    num_slots: int,
    unroll_length: int,
    device: Any = None,
) -> batch.EnvironmentBatch:
    """Makes a batch of environments, which may be of several tasks with one spec.

    `xland` is stepped as one batch of arrays in this process, anything else in a worker
    process for each environment.

    Args:
      settings: one for each environment.
      num_slots: S, unrolls in flight of each environment.
      unroll_length: T.
      device: the jax.Device that draws openings of `xland`; JAX's default if None.

    Raises:
      base.EnvironmentConfigError: a task is unknown, or two differ in their spec.
    """
    if not settings:
        raise base.EnvironmentConfigError("a batch needs at least one environment")
    specs = {
        (each.task, each.action_repeat, each.lab.action_set): environment_spec(
            *(each.task, each.action_repeat, each.lab.action_set),
            each.deadline_seconds,
        )
        for each in settings
    }
    (first_task, *_), shared = next(iter(specs.items()))
    for (task, *_), spec in specs.items():
        if spec != shared:
            raise base.EnvironmentConfigError(
                f"{first_task} and {task} cannot share an agent: "
                f"{_difference(shared, spec)}"
            )
    played = {split_task(task)[0] for task, *_ in specs}
    if played == {"xland"}:
        return _module("xland").XLandBatch(settings, num_slots, unroll_length, device)
    return workers.WorkerBatch(
        *(settings, shared, num_slots, unroll_length), preloaded=_preloaded(played)
    )


def reference_score(task: str) -> base.ReferenceScore | None:
    """Returns what normalises the task's score, or None where that is not known.

    A train level of DMLab-30 has the scores of its task, which are the test level's.

    Raises:
      base.EnvironmentConfigError: the suite is unknown, or DMLab-30 has no such level.
    """
    suite, level = split_task(task)
    if suite == "dmlab30":
        task = f"dmlab30:{dmlab_levels.find(level).name}"
    entry = _reference_scores().get(task, {})
    if not {"random", "reference"} <= entry.keys():
        return None
    return base.ReferenceScore(
        random=entry["random"],
        reference=entry["reference"],
        source=f"random: {entry['random_source']}; reference: "
        f"{entry['reference_source']}",
    )


def _module(suite: str) -> Any:
    split_task(f"{suite}:any")
    try:
        return importlib.import_module(_MODULES[suite])
    except ImportError as error:
        raise base.EnvironmentConfigError(
            f"the {suite} suite needs {error.name}, which is not installed: "
            f"pip install {error.name}"
        ) from error


def _preloaded(played: Collection[str]) -> list[str]:
    names = [__name__]
    for suite in sorted(_PRELOADED.keys() & played):
        names.append(_MODULES[suite])
        if suite != "gym" or not metadata.entry_points(group=_GYMNASIUM_PLUGINS):
            names.extend(_PRELOADED[suite])
    return names


def _looked_at(
    task: str, action_repeat: int, deadline_seconds: float
) -> base.EnvironmentSpec:
    seen = task, action_repeat
    if seen not in _seen:
        settings = base.TaskSettings(
            task, 0, action_repeat, deadline_seconds=deadline_seconds
        )
        _seen[seen] = look.spec(settings, workers.DEFAULT_FACTORY)
    return _seen[seen]


def _difference(one: base.EnvironmentSpec, other: base.EnvironmentSpec) -> str:
    fields = [
        f"{name} {getattr(one, name)} against {getattr(other, name)}"
        for name, field in base.EnvironmentSpec.__dataclass_fields__.items()
        if field.compare and getattr(one, name) != getattr(other, name)
    ]
    return "; ".join(fields)


@functools.cache
def _reference_scores() -> dict[str, dict[str, Any]]:
    return json.loads(_REFERENCE_SCORES.read_text(encoding="utf-8"))
