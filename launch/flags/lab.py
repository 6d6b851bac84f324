"""The flags for levels of DeepMind Lab that several entry points have."""

import re

from kickstarting.config import run as config_lib
from kickstarting.config import settings
from launch.flags import derived

_SEEDS = re.compile(r"([0-9]{1,20})(?:-([0-9]{1,20}))?")

derived.define(
    config_lib.LabConfig, ("level_cache", "level_cache_gigabytes", "dataset_path")
)


def lab_config(level_seeds: tuple[int, int] | None = None) -> config_lib.LabConfig:
    """Builds the configuration of DeepMind Lab from the parsed flags.

    Args:
      level_seeds: the first and the last seed of training's episodes; None: all.

    Raises:
      config_lib.ConfigError: a flag is out of range.
    """
    given = derived.given(config_lib.LabConfig)
    if level_seeds is not None:
        given["first_level_seed",], given["last_level_seed",] = level_seeds
    return settings.made(config_lib.LabConfig, given)


def seed_range(flag: str, text: str) -> tuple[int, int]:
    """Returns the first and the last of the seeds that `first-last` or `seed` names.

    Args:
      flag: its name, for the error.
      text: its value.

    Raises:
      config_lib.ConfigError: it has another form, or they do not rise.
    """
    found = _SEEDS.fullmatch(text)
    if not found:
        raise config_lib.ConfigError(
            f"--{flag} must be first-last, e.g. 0-99, or one seed, not {text!r}"
        )
    first, last = int(found[1]), int(found[2] or found[1])
    if not first <= last <= config_lib.MAX_LEVEL_SEED:
        raise config_lib.ConfigError(
            f"--{flag} must rise within 0-{config_lib.MAX_LEVEL_SEED}, not be {text}"
        )
    return first, last
