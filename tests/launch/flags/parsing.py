"""A command line of launch.train, parsed in a test."""

from absl import flags
from absl.testing import flagsaver

from kickstarting.config import run as config_lib
from launch.flags import run as run_flags


def parsed(*arguments: str) -> config_lib.Config:
    """Returns the configuration that launch.train makes of a command line."""
    with flagsaver.flagsaver():
        flags.FLAGS(["launch.train", *arguments])
        return run_flags.config_from_flags()
