"""The process in which dmlab_probe loads a level of DeepMind Lab.

python -m kickstarting.environments.dmlab.probe_process JSON, which is a task, its
level, and the descriptor that why it cannot be loaded is written to.
"""

import json
import os
import sys

from kickstarting.config import run as config_lib
from kickstarting.environments import base
from kickstarting.environments.dmlab import load as dmlab_load

_MAX_MESSAGE_BYTES = 4096


def main(order: str) -> None:
    """Loads the level once.

    Args:
      order: the process's argument.
    """
    task, level, writer = json.loads(order)
    # The images are a matter of files, and are looked for elsewhere.
    lab = config_lib.LabConfig(level_cache="", dataset_path=dmlab_load.DUMMY_DATASET)
    settings = base.TaskSettings(task, 0, lab=lab)
    try:
        # What is held out is not asked for by mistake here.
        dmlab_load.load(settings, level, is_test=True, cache=None).close()
    except base.EnvironmentConfigError as error:
        os.write(writer, str(error).encode()[:_MAX_MESSAGE_BYTES])


if __name__ == "__main__":
    main(sys.argv[1])
