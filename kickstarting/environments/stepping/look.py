"""Looks at an environment that is not the project's own, in a process of its own.

To know its spaces it must be made, and what is made must be closed. Either may hang,
raise, end its process, or leave processes behind.
"""

import dataclasses
import json

from kickstarting.environments import base
from kickstarting.environments.stepping import asking, look_process

_MODULE = "kickstarting.environments.stepping.look_process"


def spec(settings: base.TaskSettings, factory: str) -> base.EnvironmentSpec:
    """Makes an environment once, and closes it again; returns its spec.

    Args:
      settings: of the environment.
      factory: 'module:function', called with the settings.

    Raises:
      base.EnvironmentConfigError: it cannot be made or closed, or not within
        settings.deadline_seconds.
    """
    lines, failure = asking.ask(
        _MODULE,
        [dataclasses.asdict(settings), factory],
        settings.deadline_seconds,
        f"{settings.task}, which is made once to see what it observes",
    )
    for line in lines:
        if line.startswith(look_process.REFUSED):
            raise base.EnvironmentConfigError(line.removeprefix(look_process.REFUSED))
    if failure:
        what = "closed" if lines else "made"
        if failure.startswith(asking.TAKES_MORE):
            failure += ": raise environment_deadline, if it needs more"
        raise base.EnvironmentConfigError(
            f"{settings.task} cannot be {what}: it {failure}"
        )
    fields = json.loads(lines[0])
    return base.EnvironmentSpec(
        **{
            **fields,
            "frame_shape": tuple(fields["frame_shape"]),
            "action_names": tuple(fields["action_names"]),
            "unused": tuple(fields["unused"]),
        }
    )
