"""Loads levels of DeepMind Lab and says in one line why one cannot be loaded."""

import glob
import importlib.util
import os
from typing import Any

from kickstarting.config import run as config_lib
from kickstarting.environments import base
from kickstarting.environments.dmlab import actions as dmlab_actions
from kickstarting.environments.dmlab import level_cache
from kickstarting.environments.dmlab import levels as dmlab_levels
from kickstarting.environments.dmlab import probe as dmlab_probe

FRAME = "RGB_INTERLEAVED"
INSTRUCTION = "INSTR"

# Instead of a folder of images: the levels that show some make do without.
DUMMY_DATASET = "dummy"

# IMPALA's, so that levels of the test vary in ways that training never showed.
_TEST_MIXER_SEED = 0x600D5EED


def levels() -> tuple[str, ...]:
    """Returns the paths of DMLab-30; those of other levels work as well."""
    names = dict.fromkeys(
        name for task in dmlab_levels.TASKS for name in (task.train, task.test)
    )
    return tuple(dmlab_levels.FOLDER + name for name in names)


def check(task: str, lab: config_lib.LabConfig) -> None:
    """Checks, without importing DeepMind Lab, that a task can be played here.

    Of DMLab-30 one level is loaded for all, and of others each.

    Raises:
      base.EnvironmentConfigError: DeepMind Lab is not installed or cannot be loaded, it
        has no such level, the images that the level shows are missing, or the level
        cache cannot be used.
    """
    module = importlib.util.find_spec("deepmind_lab")
    if module is None:
        raise _not_installed(task)
    suite, _, level = task.partition(":")
    origin = module.origin or ""
    if suite == "dmlab":
        _check_level(level, os.path.dirname(origin))
    _dataset_path(task, lab)
    if lab.level_cache:
        level_cache.check_usable(lab.level_cache)
    of_dmlab30 = suite == "dmlab30" or level in levels()
    dmlab_probe.check_loads(task, levels()[0] if of_dmlab30 else level, origin)


def load(
    settings: base.TaskSettings,
    level: str,
    is_test: bool,
    cache: level_cache.LevelCache | None,
) -> Any:
    """Makes a deepmind_lab.Lab that observes FRAME and, where offered, INSTRUCTION.

    Args:
      settings: of the task.
      level: its path.
      is_test: plays what is held out from training.
      cache: of compiled maps.

    Raises:
      base.EnvironmentConfigError: there is no such level, DeepMind Lab is not
        installed, something that it needs is missing, or the level cannot be played
        with the actions of dmlab_actions.
    """
    try:
        import deepmind_lab
    except ModuleNotFoundError as error:
        if error.name == "deepmind_lab":
            raise _not_installed(settings.task) from error
        raise _not_importable(settings.task, error) from error
    except ImportError as error:
        raise _not_importable(settings.task, error) from error
    config = {"width": str(base.FRAME_WIDTH), "height": str(base.FRAME_HEIGHT)}
    dataset_path = _dataset_path(settings.task, settings.lab)
    if dataset_path:
        config["datasetPath"] = dataset_path
    if is_test:
        config["allowHoldOutLevels"] = "true"
        config["mixerSeed"] = str(_TEST_MIXER_SEED)

    def make(observations: list[str]) -> Any:
        return deepmind_lab.Lab(level, observations, config=config, level_cache=cache)

    try:
        try:
            lab = make([FRAME, INSTRUCTION])
        except ValueError:
            # Not every level says something, and what it offers only a Lab tells.
            lab = make([FRAME])
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        near = "" if level in levels() else base.nearest_name(level, levels())
        raise base.EnvironmentConfigError(
            f"{settings.task} cannot be loaded: {reason}{near}"
        ) from error
    missing = set(dmlab_actions.INPUTS) - {each["name"] for each in lab.action_spec()}
    if missing:
        lab.close()
        raise base.EnvironmentConfigError(
            f"{settings.task} has no input {', '.join(sorted(missing))}, which the "
            "actions need"
        )
    return lab


def _check_level(level: str, package: str) -> None:
    """Looks for the level's script where DeepMind Lab's own package keeps them.

    A build that lies elsewhere tells it where the level is loaded.
    """
    folder = os.path.join(package, "baselab", "game_scripts", "levels")
    script = os.path.join(folder, f"{level}.lua")
    # A path that ends in .lua is one of the file system.
    if not os.path.isdir(folder) or level.endswith(".lua") or os.path.isfile(script):
        return
    scripts = glob.glob("**/*.lua", root_dir=folder, recursive=True)
    near = base.nearest_name(level, [each.removesuffix(".lua") for each in scripts])
    raise base.EnvironmentConfigError(f"dmlab has no level {level!r}{near}")


def _dataset_path(task: str, lab: config_lib.LabConfig) -> str:
    """Returns where a level finds images; empty where it needs and is given none."""
    needed = dmlab_levels.dataset_file(task.partition(":")[2])
    if lab.dataset_path == DUMMY_DATASET or not (needed or lab.dataset_path):
        return lab.dataset_path
    path = os.path.abspath(os.path.expanduser(lab.dataset_path))
    if not lab.dataset_path:
        missing = "none is given"
    elif not os.path.isdir(path):
        missing = f"there is none at {path!r}"
    elif needed and not os.path.isfile(os.path.join(path, needed)):
        # DeepMind Lab would end its process at the first image.
        missing = f"{path!r} has no {needed}"
    else:
        return path
    what = "shows the images of a folder" if needed else "was given a folder of images"
    raise base.EnvironmentConfigError(
        f"{task} {what}, and {missing}: name it by --dataset_path, or "
        f"{DUMMY_DATASET!r} to play without (docs/dmlab.md)"
    )


def _not_installed(task: str) -> base.EnvironmentConfigError:
    return base.EnvironmentConfigError(
        f"{task} needs DeepMind Lab, which is not installed: it is built from its own "
        "repository, github.com/google-deepmind/lab (docs/dmlab.md); the doom suite "
        "runs without it"
    )


def _not_importable(task: str, error: ImportError) -> base.EnvironmentConfigError:
    reason = " ".join(str(error).split())
    return base.EnvironmentConfigError(
        f"{task} needs DeepMind Lab, which is installed but cannot be imported: "
        f"{reason} (docs/dmlab.md)"
    )
