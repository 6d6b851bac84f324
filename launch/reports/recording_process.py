"""Records an episode in a process of its own, which may hang, or crash.

What plays there is an environment of anybody, and a teacher of anybody: what a run has
learned and scored is told of and ended in any case.
"""

import dataclasses
import os
import sys
from typing import Any

import jax

from kickstarting.config import run as config_lib
from kickstarting.environments.stepping import asking
from kickstarting.reporting import video
from kickstarting.teaching import teachers
from launch.reports import policies, recording

_MODULE = "launch.reports.recording_process"
_STEPS = 525


def record(config: config_lib.Config, path: str) -> str:
    """Records the student of a run on its first task, beside its first teacher.

    Args:
      config: of the run, of which there is a checkpoint.
      path: of the video; what is not a whole one is removed.

    Returns:
      Why there is none, in one line; empty where there is one.
    """
    names = config.teachers_of_task[0]
    partial = "{}.partial{}".format(*os.path.splitext(path))
    order = {
        "checkpoint": config.logdir,
        "task": config.tasks[0],
        "teacher": names[0] if names else "",
        "seed": config.seed + 1000,
        "lab": dataclasses.asdict(config.lab),
        "frames_per_second": recording.GAME_FRAMES_PER_SECOND / config.action_repeat,
        "path": partial,
    }
    seconds = config.environment_deadline_seconds
    about = f"the video of an episode of {config.tasks[0]}"
    lines, failure = asking.ask(_MODULE, order, seconds, about)
    if failure.startswith(asking.TAKES_MORE):
        failure += " (--environment_deadline)"
    if lines or failure:
        if os.path.exists(partial):
            os.remove(partial)
        return lines[0] if lines else f"it {failure}"
    os.replace(partial, path)
    return ""


def main(argument: str) -> None:
    """Records, and answers with what was raised, if anything was.

    Args:
      argument: the process's.
    """
    order, descriptor = asking.orders(argument)
    # Devices may be full of what the run has there.
    jax.config.update("jax_platforms", "cpu")
    try:
        _record(**order)
    except BaseException as error:  # noqa: BLE001 - what others wrote raises anything
        asking.answer(descriptor, " ".join(f"{error!r}".split()))
    asking.answer(descriptor, "")


def _record(
    checkpoint: str,
    task: str,
    teacher: str,
    seed: int,
    lab: dict[str, Any],
    frames_per_second: float,
    path: str,
) -> None:
    frames = recording.episode_frames(
        policies.load(checkpoint),
        teachers.load(teacher) if teacher else None,
        task,
        seed=seed,
        greedy=False,
        max_steps=_STEPS,
        lab=config_lib.LabConfig(**lab),
    )
    video.write_video(path, frames, frames_per_second)


if __name__ == "__main__":
    main(sys.argv[1])
