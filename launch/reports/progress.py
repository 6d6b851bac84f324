"""How far a run is, by what is in its folder."""

import json
import os

from kickstarting.config import run as config_lib
from kickstarting.storage import checkpoints
from launch.monitoring import run_folder

SCORES_FILE = "scores.json"


def newest_frames(config: config_lib.Config) -> int:
    """Returns the environment frames of the run's newest sound checkpoint, else 0."""
    store = checkpoints.Checkpoints(
        run_folder.checkpoints(config.logdir), config.checkpoint.keep
    )
    metadata = store.newest_sound_metadata()
    return int(metadata["telemetry"]["frames"]) if metadata else 0


def evaluated_frames(logdir: str) -> int:
    """Returns the environment frames of the checkpoint that was scored last, else 0.

    One of which a score is missing is not.
    """
    try:
        with open(os.path.join(logdir, SCORES_FILE), encoding="utf-8") as file:
            scores = json.load(file)
        if scores.get("failures") or scores.get("missing_episodes"):
            return 0
        return int(scores["environment_frames"])
    except (OSError, ValueError, KeyError, AttributeError):
        return 0
