"""What lies where in a run's folder, and what a checkpoint must agree with."""

import dataclasses
import os
from typing import Any

from kickstarting.config import run as config_lib
from kickstarting.environments import base


def checkpoints(logdir: str) -> str:
    """Returns the folder of a run's checkpoints."""
    return os.path.join(logdir, "checkpoints")


def logs(logdir: str) -> str:
    """Returns the folder of logs: of C++ libraries, and of local_mp's nodes."""
    return os.path.join(logdir, "logs")


def metadata(config: config_lib.Config, spec: base.EnvironmentSpec) -> dict[str, Any]:
    """Returns what a checkpoint keeps beside the arrays, JSON-able.

    A checkpoint with other values cannot be resumed under `config`.
    """
    return {
        "tasks": list(config.tasks),
        "network": dataclasses.asdict(config.network),
        "spec": {
            "frame_shape": list(spec.frame_shape),
            "instruction_length": spec.instruction_length,
            "action_names": list(spec.action_names),
            "action_repeat": spec.action_repeat,
        },
        "optimiser": config.optimiser.name,
    }
