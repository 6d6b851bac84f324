"""Where a run's checkpoints lie, and what they must agree with to be gone on from."""

import dataclasses
import os
from typing import Any

from kickstarting.config import run as config_lib
from kickstarting.environments import base
from kickstarting.storage import checkpoints


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


def store(config: config_lib.Config) -> checkpoints.Checkpoints:
    """Returns the checkpoints of the run's folder; nothing is touched yet."""
    folder = os.path.join(config.logdir, checkpoints.SUBFOLDER)
    return checkpoints.Checkpoints(folder, config.checkpoint.keep)


def resumed_frames(config: config_lib.Config, spec: base.EnvironmentSpec) -> int:
    """Returns the environment frames that the run goes on from, 0 for a new one.

    Args:
      config: of the run.
      spec: of its environments.

    Raises:
      config_lib.ConfigError: the folder holds a run, but this one must not resume.
      checkpoints.CheckpointError: what it holds is of another kind of run.
    """
    found = store(config).newest_sound_metadata()
    if found is None:
        return 0
    if not config.checkpoint.resume:
        raise config_lib.ConfigError(
            f"{config.logdir} already holds a run: choose another --logdir, or let it "
            "resume"
        )
    checkpoints.check_metadata(config.logdir, found, metadata(config, spec))
    return int(found["telemetry"]["frames"])
