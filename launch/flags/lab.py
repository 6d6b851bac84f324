"""The absl flags for levels of DeepMind Lab that several entry points have."""

from absl import flags

from kickstarting.config import run as config_lib

_DEFAULTS = config_lib.LabConfig()

LEVEL_CACHE = flags.DEFINE_string(
    "level_cache",
    _DEFAULTS.level_cache,
    "DeepMind Lab: folder of compiled maps, shared by all actors; empty: none.",
)
LEVEL_CACHE_GIGABYTES = flags.DEFINE_float(
    "level_cache_gigabytes",
    _DEFAULTS.level_cache_gigabytes,
    "DeepMind Lab: size of the level cache at which the least recently used maps go.",
)
DATASET_PATH = flags.DEFINE_string(
    "dataset_path",
    _DEFAULTS.dataset_path,
    "DeepMind Lab: folder of the images that some psychlab levels show, or 'dummy' to "
    "play them without.",
)


def lab_config(
    action_set: str = _DEFAULTS.action_set,
    level_seeds: tuple[int, int] = (0, config_lib.MAX_LEVEL_SEED),
) -> config_lib.LabConfig:
    """Builds the configuration of DeepMind Lab from the parsed flags.

    Args:
      action_set: one of config.LAB_ACTION_SETS.
      level_seeds: the first and the last seed of training's episodes.

    Raises:
      config_lib.ConfigError: a flag is out of range.
    """
    return config_lib.LabConfig(
        action_set=action_set,
        level_cache=LEVEL_CACHE.value,
        level_cache_gigabytes=LEVEL_CACHE_GIGABYTES.value,
        dataset_path=DATASET_PATH.value,
        first_level_seed=level_seeds[0],
        last_level_seed=level_seeds[1],
    )


def seed_range(flag: str, text: str) -> tuple[int, int]:
    """Returns the first and the last of the seeds that `first-last` or `seed` names.

    Args:
      flag: its name, for the error.
      text: its value.

    Raises:
      config_lib.ConfigError: it has another form.
    """
    first, dash, last = text.partition("-")
    if not first.isdecimal() or not (last.isdecimal() if dash else True):
        raise config_lib.ConfigError(
            f"--{flag} must be first-last, e.g. 0-99, or one seed, not {text!r}"
        )
    return int(first), int(last) if dash else int(first)
