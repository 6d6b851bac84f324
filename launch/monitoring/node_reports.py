"""The file of a run that tells when each of its nodes was last heard of.

The learner, which all others report to, writes it anew every few seconds: a file that
is old itself tells of a learner that is away.
"""

import dataclasses
import json
import os
import time
from collections.abc import Mapping, Sequence

from absl import logging

FILE = "nodes.json"
# What a learner does before its first update, and from then on.
COMPILING, TRAINING = "compiling", "training"


@dataclasses.dataclass(frozen=True)
class NodeReports:
    """Who was heard of when.

    Attributes:
      time: in seconds since the epoch, when the learner wrote this.
      heard: by node, e.g. 'actor/0', seconds since the epoch.
      has_ended: whether the learner has ended as it was asked to.
      devices: the kind of each device that the learner computes on.
      state: COMPILING or TRAINING.
    """

    time: float
    heard: Mapping[str, float]
    has_ended: bool = False
    devices: Sequence[str] = ()
    state: str = TRAINING


def write(
    logdir: str,
    silence: Mapping[str, float],
    has_ended: bool = False,
    devices: Sequence[str] = (),
    state: str = TRAINING,
) -> None:
    """Replaces the file; on a full disk the old one stays.

    Args:
      logdir: the run's or the member's folder.
      silence: by node, seconds since its last report.
      has_ended: whether this is the last one.
      devices: see NodeReports.
      state: see NodeReports.
    """
    now = time.time()
    reports = NodeReports(
        now,
        {node: now - seconds for node, seconds in silence.items()},
        has_ended,
        devices,
        state,
    )
    path = os.path.join(logdir, FILE)
    temporary = f"{path}.new"
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(dataclasses.asdict(reports), file)
        os.replace(temporary, path)
    except OSError as error:
        logging.log_every_n_seconds(
            logging.WARNING, "Cannot write %s: %s", 60, path, error
        )


def read(logdir: str) -> NodeReports | None:
    """Returns the newest; None where there is none, or it is not whole.

    Args:
      logdir: the run's or the member's folder.
    """
    try:
        with open(os.path.join(logdir, FILE), encoding="utf-8") as file:
            return NodeReports(**json.load(file))
    except (OSError, ValueError, TypeError):
        return None
