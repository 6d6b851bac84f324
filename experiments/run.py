"""Trains what an experiment needs and has not got: python -m experiments.run NAME.

  python -m experiments.run --list
  python -m experiments.run paper_experts --quick
  python -m experiments.run all
  python -m experiments.run my_own.py

Finished runs are known by what decides their outcome and are not trained again, for
this experiment or another; broken ones go on from their checkpoints. Ctrl-C stops with
checkpoints. `python -m experiments.report` then writes the tables and figures.
"""

import os
from collections.abc import Sequence

from absl import flags
from rich import console as rich_console
from rich import table as rich_table

from experiments import catalogue
from experiments.experiment import Experiment
from experiments.running import alone, plan, runner
from kickstarting.config import run as config_lib
from launch.computing import processor_threads
from launch.flags import command_line

RESULTS = flags.DEFINE_string(
    "results", "runs/experiments", "Where the runs and their teachers go."
)
RECORDS = flags.DEFINE_string(
    "records",
    "docs/records/experiments",
    "Folder of the finished runs' records: what has one there is not trained again, on "
    "whatever machine it was trained. Those of --quick stay below --results.",
)
QUICK = flags.DEFINE_bool(
    "quick",
    False,
    "One seed and a twentieth of the frames, 75,000 at least: does everything run?",
)
SEEDS = flags.DEFINE_list(
    "seeds", [], "Seeds of each condition; default: those of the experiment."
)
_LIST = flags.DEFINE_bool("list", False, "Show the experiments and train nothing.")
_AT_ONCE = flags.DEFINE_integer(
    "at_once", 0, "Runs side by side; 0: as many as there are cores."
)


def main(argv: list[str]) -> int:
    """Runs as the flags say.

    Returns:
      0; 1 where a run failed; 128 + N after signal N.
    """
    console = rich_console.Console()
    if _LIST.value:
        console.print(_table())
        return 0
    experiments = chosen(argv[1:])
    if _AT_ONCE.value < 0:
        raise config_lib.ConfigError(f"--at_once must not be below 0: {_AT_ONCE.value}")
    trainings = [
        training
        for experiment in experiments.values()
        for _, training in experiment.trainings()
    ]
    with alone.alone(RESULTS.value):
        steps = plan.steps(trainings, RESULTS.value, records_folder())
        console.print(
            f"{len(steps)} steps are missing for {len(trainings)} runs", highlight=False
        )
        status = runner.Runner(
            steps,
            _AT_ONCE.value or processor_threads.usable_cores(),
            console,
        ).run()
    if not status:
        console.print("Next: python -m experiments.report", highlight=False)
    return status


def chosen(names: Sequence[str]) -> dict[str, Experiment]:
    """Returns the experiments as the flags want them.

    Args:
      names: of the experiments, or files of them; `all`: the whole catalogue.

    Raises:
      config_lib.ConfigError: there is none, or one is unknown.
    """
    if not names:
        raise config_lib.ConfigError(
            "name an experiment, or all: python -m experiments.run --list"
        )
    if not all(seed.isdecimal() for seed in SEEDS.value):
        raise config_lib.ConfigError("--seeds are numbers")
    seeds = tuple(map(int, SEEDS.value))
    return {
        catalogue.title(name): catalogue.load(name, seeds=seeds, quick=QUICK.value)
        for given in names
        for name in (catalogue.names() if given == "all" else (given,))
    }


def records_folder() -> str:
    """Returns where the records of runs as the flags want them are kept."""
    return os.path.join(RESULTS.value, "records") if QUICK.value else RECORDS.value


def _table() -> rich_table.Table:
    view = rich_table.Table(title="Experiments", title_justify="left")
    for column in ("name", "shows", "runs", "frames each"):
        view.add_column(column, overflow="fold")
    for name in catalogue.names():
        experiment = catalogue.load(name)
        runs = len(experiment.conditions) * len(experiment.seeds)
        view.add_row(name, experiment.shows, str(runs), f"{experiment.total_frames:,}")
    return view


if __name__ == "__main__":
    command_line.run(main, names=True)
