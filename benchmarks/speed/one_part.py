"""What one part of the ring costs, in a process of its own; prints a line of JSON.

  python -m benchmarks.speed.one_part --part=inference --beside=environment

With --beside another part keeps the last core busy, in further processes, while the
first is measured: in the ring too a part finds others' data in the caches.
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterator

from absl import flags

from benchmarks.programs import launched
from benchmarks.speed import costs, parts
from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from launch.flags import command_line

_NAMES = ("environment", "inference", "update", "queue", "teacher")
_PART = flags.DEFINE_enum("part", None, _NAMES, "What is measured.", required=True)
_BESIDE = flags.DEFINE_enum("beside", None, _NAMES, "What goes on meanwhile.")
_TASK = flags.DEFINE_string("task", "doom:health_gathering_supreme", "Of the run.")
_TEACHER = flags.DEFINE_string(
    "teacher", "teachers/doom/health_gathering", "What --part=teacher asks."
)
_SECONDS = flags.DEFINE_float("seconds", 5.0, "That it is measured; 0: it goes on.")

# Said by a part that goes on, once it is warm.
_WARM = b"warm\n"


def main(argv: list[str]) -> int:
    """Measures the part, or does it until the process is ended; returns 0."""
    del argv
    if not _SECONDS.value:
        _go_on()
    with _beside(_BESIDE.value), _part() as step:
        print(json.dumps(costs.cost(step, _SECONDS.value)))
    return 0


@contextlib.contextmanager
def _beside(part: str | None) -> Iterator[None]:
    """Keeps the last core busy with a part, whose CPU time costs.cost leaves out."""
    if part is None:
        yield
        return
    arguments = [f"--part={part}", "--seconds=0", f"--task={_TASK.value}"]
    command = (sys.executable, "-m", "benchmarks.speed.one_part")
    reader, writer = os.pipe()
    with open(reader, "rb") as output, launched.run(arguments, writer, command) as busy:
        os.close(writer)
        said = output.readline()
        while said and said != _WARM:
            said = output.readline()
        if not said:
            raise RuntimeError(f"{part} ended with status {busy.wait()}")
        with costs.without(busy.pid):
            yield


def _go_on() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with _part() as step:
        for _ in range(costs.WARM_UP):
            step()
        os.write(1, _WARM)
        while True:
            step()


def _part() -> contextlib.AbstractContextManager[parts.Step]:
    config = config_lib.Config(tasks=(_TASK.value,), logdir="unused")
    spec = suites.environment_spec(_TASK.value, config.action_repeat)
    if _PART.value == "environment":
        return parts.environment(config)
    if _PART.value == "teacher":
        return parts.teacher(config, _TEACHER.value)
    made = {
        "inference": parts.inference,
        "update": parts.learner_update,
        "queue": parts.queue,
    }
    return made[_PART.value](config, spec)


if __name__ == "__main__":
    command_line.run(main)
