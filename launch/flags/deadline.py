"""The flag for how long an environment may take, which several entry points have."""

from kickstarting.config import run as config_lib
from launch.flags import derived

_PATH = ("environment_deadline_seconds",)

derived.define(config_lib.Config, ("environment_deadline",))


def seconds() -> float:
    """Returns it as the parsed flags say.

    Raises:
      config_lib.ConfigError: it is out of range.
    """
    given = derived.given(config_lib.Config)
    return float(given.get(_PATH, config_lib.ENVIRONMENT_DEADLINE_SECONDS))
