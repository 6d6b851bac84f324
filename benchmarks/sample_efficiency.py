"""Trains this project's agent and others' on the same levels, and compares them.

  python -m benchmarks.sample_efficiency --tasks=doom:basic
  python -m benchmarks.sample_efficiency --tasks=doom:basic --peers=sb3 --seeds=1

The same budget of environment frames for each: agent steps times action repeat. Ours is
`python -m launch.train` with its defaults; the peers are stable-baselines3's PPO and
sample-factory, each from PyPI in a virtual environment of its own (Python 3.11), which
is made below --environments. What has ended has a record and is not trained again.

Prints JSON: frames and minutes to each mark, final returns, the settings. Draws
--results/TASK.png: mean return of 100 sampled episodes against frames and the clock;
writes --results/table.md: the marks of all levels.
"""

import json
import os

from absl import flags
from rich import console as rich_console

from benchmarks.comparison import picture, plan, records, summary, table
from experiments.running import alone, runner
from launch.flags import command_line, counts

_DEFAULTS = plan.Config(tasks=("doom:basic",))
_TASKS = flags.DEFINE_list("tasks", [], "Levels, suite:level, comma-separated.")
_PEERS = flags.DEFINE_list("peers", list(_DEFAULTS.peers), "Who is compared.")
_SEEDS = flags.DEFINE_integer("seeds", _DEFAULTS.seeds, "Trainings of each.")
_TOTAL_FRAMES = counts.define(
    "total_frames", None, "Of each training; default: those of the level's last mark."
)
_MINUTES = flags.DEFINE_float(
    "minutes", _DEFAULTS.minutes, "After which a training is ended."
)
_THREADS = flags.DEFINE_integer(
    "threads", _DEFAULTS.threads, "Of the linear algebra of each training."
)
_TRAIN = flags.DEFINE_bool(
    "train", True, "Train what has no record; --notrain: only tell of what has one."
)
_AT_ONCE = flags.DEFINE_integer(
    "at_once", _DEFAULTS.at_once, "Trainings side by side; above 1 the clock lies."
)
_RESULTS = flags.DEFINE_string(
    "results", _DEFAULTS.results, "Where trainings and pictures go."
)
_RECORDS = flags.DEFINE_string(
    "records",
    _DEFAULTS.records,
    "Folder of the records: what has one there is not trained again.",
)
_ENVIRONMENTS = flags.DEFINE_string(
    "environments", _DEFAULTS.environments, "Folder of the peers' environments."
)
_PEER_PYTHON = flags.DEFINE_string(
    "peer_python", _DEFAULTS.peer_python, "Python 3.11, which makes these."
)

# Whichever library does it.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(argv: list[str]) -> int:
    """Compares as the flags say.

    Returns:
      0; 1 where a training failed; 128 + N after signal N.
    """
    del argv
    config = plan.Config(
        tasks=tuple(_TASKS.value),
        peers=tuple(_PEERS.value),
        seeds=_SEEDS.value,
        total_frames=_TOTAL_FRAMES.value,
        minutes=_MINUTES.value,
        threads=_THREADS.value,
        at_once=_AT_ONCE.value,
        results=_RESULTS.value,
        records=_RECORDS.value,
        environments=_ENVIRONMENTS.value,
        peer_python=_PEER_PYTHON.value,
    )
    console = rich_console.Console(stderr=True)
    wanted = plan.trainings(config)
    for line in plan.left_out(config):
        console.print(line, highlight=False, soft_wrap=True)
    status = 0
    with alone.alone(config.results):
        if _TRAIN.value:
            status = _train(config, wanted, console)
    if status >= 128:
        return status
    _report(config, wanted)
    return status


def _train(
    config: plan.Config,
    wanted: list[records.Training],
    console: rich_console.Console,
) -> int:
    """Trains what has no record yet; returns the runner's status."""
    missing = [each for each in wanted if not plan.is_done(config, each)]
    console.print(
        f"{len(missing)} of {len(wanted)} trainings are missing", highlight=False
    )
    threads = dict.fromkeys(_THREAD_VARIABLES, str(config.threads))
    steps = plan.steps(config, missing)
    return runner.Runner(steps, config.at_once, console, threads).run()


def _report(config: plan.Config, wanted: list[records.Training]) -> None:
    loaded = [records.load(config.records, each) for each in wanted]
    found = [record for record in loaded if record is not None]
    tasks = []
    for task in config.tasks:
        of_task = [each for each in found if each.training.task == task]
        if of_task:
            tasks.append(summary.of_task(task, of_task))
            name = task.replace(":", "_").replace("/", "_")
            path = os.path.join(config.results, f"{name}.png")
            picture.draw(task, of_task, path)
    if tasks:
        with open(os.path.join(config.results, "table.md"), "w") as file:
            file.write(table.markdown(tasks))
    print(json.dumps(tasks, indent=1))


if __name__ == "__main__":
    command_line.run(main)
