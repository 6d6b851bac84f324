"""The `dmlab30` suite: the thirty tasks of DMLab-30 by their short names.

A task is trained on its train level; held out, it is scored on its test level. The name
of either level is taken as well.
"""

from kickstarting.config import run as config_lib
from kickstarting.environments import base
from kickstarting.environments.dmlab import dmlab
from kickstarting.environments.dmlab import levels as dmlab_levels


def levels() -> tuple[str, ...]:
    """Returns the short names of the tasks."""
    return tuple(task.name for task in dmlab_levels.TASKS)


def spec(level: str, action_repeat: int, action_set: str) -> base.EnvironmentSpec:
    """Returns the spec that all tasks share.

    Raises:
      base.EnvironmentConfigError: the level is unknown, or action_repeat is below 1.
    """
    return dmlab.spec(dmlab_levels.find(level).train, action_repeat, action_set)


def check(task: str, lab: config_lib.LabConfig) -> None:
    """Checks, without importing DeepMind Lab, that a task can be played here.

    Raises:
      base.EnvironmentConfigError: the level is unknown; or as dmlab.check.
    """
    dmlab_levels.find(task.partition(":")[2])
    dmlab.check(task, lab)


def make(settings: base.TaskSettings) -> dmlab.LabEnvironment:
    """Makes the environment of a task; see dmlab.LabEnvironment.

    Raises:
      base.EnvironmentConfigError: the level is unknown, or cannot be played here.
    """
    level = settings.task.partition(":")[2]
    task = dmlab_levels.find(level)
    is_test = settings.held_out or dmlab_levels.is_test(level)
    name = task.test if is_test else task.train
    return dmlab.LabEnvironment(settings, dmlab_levels.FOLDER + name, is_test)
