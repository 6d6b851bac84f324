"""The process in which dmlab_probe loads a level of DeepMind Lab.

Started by asking.ask, with a task and its level; why it cannot be loaded is the answer.
"""

import sys

from kickstarting.config import run as config_lib
from kickstarting.environments import base
from kickstarting.environments.dmlab import load as dmlab_load
from kickstarting.environments.stepping import asking


def main(argument: str) -> None:
    """Loads the level once.

    Args:
      argument: the process's.
    """
    (task, level), descriptor = asking.orders(argument)
    # The images are a matter of files, and are looked for elsewhere.
    lab = config_lib.LabConfig(level_cache="", dataset_path=dmlab_load.DUMMY_DATASET)
    settings = base.TaskSettings(task, 0, lab=lab)
    try:
        # What is held out is not asked for by mistake here.
        dmlab_load.load(settings, level, is_test=True, cache=None).close()
    except base.EnvironmentConfigError as error:
        asking.answer(descriptor, " ".join(str(error).split()))
    asking.answer(descriptor, "")


if __name__ == "__main__":
    main(sys.argv[1])
