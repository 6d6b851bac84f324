"""Whether a run and its nodes are well, from the files in its folder alone.

It may be over, or elsewhere. launch.status shows this; what the telemetry of a learner
knows, its own process shows (kickstarting.reporting.telemetry_text).
"""

import collections
import dataclasses
import json
import math
import os
import pathlib
import shutil
import time
from collections.abc import Sequence

from kickstarting.reporting import run_files
from kickstarting.storage import checkpoints, folder_lock
from launch.monitoring import node_reports, run_folder
from launch.processes import restarts

# Silence of a node after which it counts as away; they report every second or two.
SILENCE_SECONDS = 30.0

_MEMBER = "member_*"

# What a run does, beside node_reports.COMPILING and TRAINING.
STARTING, EVALUATING, ENDED = "starting", "evaluating", "ended"
STOPPED, AWAY = "stopped", "away"


@dataclasses.dataclass(frozen=True)
class NodeHealth:
    """One node.

    Attributes:
      node: e.g. 'actor/0'.
      silence: seconds since it was last heard of; NaN where it does not report.
      restarts: how often it has begun again.
      reason: of the last time; empty without one.
      is_well: False while it is away.
    """

    node: str
    silence: float
    restarts: int
    reason: str
    is_well: bool


@dataclasses.dataclass(frozen=True)
class RunHealth:
    """One run, or one member of a population.

    Attributes:
      logdir: its folder.
      total_frames: environment frames that it is to have.
      row: the newest row of metrics.csv; empty without one.
      is_running: whether the learner has written lately, and not that it has ended.
      nodes: those that are known of.
      checkpoint_frames: of the newest checkpoint; -1 without one.
      checkpoint_age: seconds since it was written; NaN without one.
      free_bytes: of the disk that the folder is on.
      devices: the kind of each device that the learner computes on; empty: unknown.
      state: STARTING, COMPILING, TRAINING, EVALUATING (after its last frame), ENDED
        (with all of them), STOPPED (without), or AWAY: its program is there, and its
        learner is not.
    """

    logdir: str
    total_frames: int
    row: dict[str, float]
    is_running: bool
    nodes: Sequence[NodeHealth]
    checkpoint_frames: int
    checkpoint_age: float
    free_bytes: int
    devices: Sequence[str] = ()
    state: str = STOPPED

    @property
    def is_finished(self) -> bool:
        """Whether it has all its frames."""
        return self.row.get(run_files.FRAMES, 0.0) >= self.total_frames

    @property
    def is_well(self) -> bool:
        """Whether it is done, or goes on with every node that is known of."""
        if self.is_finished or self.state == STARTING:
            return True
        return self.is_running and all(node.is_well for node in self.nodes)


def read(logdir: str) -> list[RunHealth]:
    """Returns the health of a run, or of each member of a population.

    Args:
      logdir: the run's folder.

    Raises:
      run_files.RunFilesError: it is no folder of a run.
    """
    path = os.path.join(logdir, run_files.CONFIG_FILE)
    try:
        total_frames = int(
            json.loads(pathlib.Path(path).read_text())["config"]["total_frames"]
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise run_files.RunFilesError(
            f"{logdir} is not the folder of a run: no {run_files.CONFIG_FILE} with its "
            "total_frames can be read there"
        ) from error
    members = sorted(map(str, pathlib.Path(logdir).glob(_MEMBER)))
    shared = _nodes(logdir, None) if members else []
    has_program = folder_lock.is_held(logdir, folder_lock.PROGRAM)
    found = [_read_one(each, total_frames, has_program) for each in members or [logdir]]
    if not shared:
        return found
    first = dataclasses.replace(found[0], nodes=[*shared, *found[0].nodes])
    return [first, *found[1:]]


def _read_one(logdir: str, total_frames: int, has_program: bool) -> RunHealth:
    reports = node_reports.read(logdir)
    frames, age = _newest_checkpoint(logdir)
    row = _newest_row(logdir)
    is_running = (
        reports is not None
        and not reports.has_ended
        and _age(reports) < SILENCE_SECONDS
    )
    if row.get(run_files.FRAMES, 0.0) >= total_frames:
        state = EVALUATING if has_program else ENDED
    elif is_running:
        assert reports is not None
        state = reports.state
    else:
        state = _state_of_silent(logdir, reports, has_program)
    return RunHealth(
        logdir=logdir,
        total_frames=total_frames,
        row=row,
        is_running=is_running,
        state=state,
        nodes=_nodes(logdir, reports),
        checkpoint_frames=frames,
        checkpoint_age=age,
        free_bytes=shutil.disk_usage(logdir).free,
        devices=reports.devices if reports else (),
    )


def _state_of_silent(
    logdir: str, reports: node_reports.NodeReports | None, has_program: bool
) -> str:
    """Returns the state of a run whose learner says nothing now."""
    if not (has_program or folder_lock.is_held(logdir, folder_lock.LEARNER)):
        return STOPPED
    if reports is None or reports.has_ended:
        return STARTING
    # Who took the lock since then has not come to his first report.
    begun = max(
        (
            path.stat().st_mtime
            for path in pathlib.Path(logdir).glob("*.lock")
            if path.is_file()
        ),
        default=0.0,
    )
    return STARTING if reports.time < begun else AWAY


def _nodes(logdir: str, reports: node_reports.NodeReports | None) -> list[NodeHealth]:
    counts: dict[str, int] = collections.Counter()
    reasons = {}
    for restart in restarts.read(logdir):
        counts[restart.node] += 1
        reasons[restart.node] = restart.reason
    silences = {}
    if reports:
        age = _age(reports)
        silences = {
            node: age + reports.time - heard for node, heard in reports.heard.items()
        }
    nodes = []
    for node in sorted({*silences, *counts}):
        silence = silences.get(node, math.nan)
        nodes.append(
            NodeHealth(
                node=node,
                silence=silence,
                restarts=counts.get(node, 0),
                reason=reasons.get(node, ""),
                is_well=not silence > SILENCE_SECONDS,
            )
        )
    return nodes


def _age(reports: node_reports.NodeReports) -> float:
    """Returns seconds; one from the future is of before the clock was set back."""
    return abs(time.time() - reports.time)


def _newest_row(logdir: str) -> dict[str, float]:
    try:
        return run_files.newest_row(logdir)
    except run_files.RunFilesError:
        return {}


def _newest_checkpoint(logdir: str) -> tuple[int, float]:
    """Returns its frames and its age in seconds; -1 and NaN where there is none."""
    newest = checkpoints.newest_sound(pathlib.Path(run_folder.checkpoints(logdir)))
    if newest is None:
        return -1, math.nan
    folder = newest[0]
    age = time.time() - folder.stat().st_mtime
    return int(folder.name.rpartition("-")[2]), max(age, 0.0)
