"""What every study does with its runs: checks its lists, trains what is missing."""

from collections.abc import Sequence
from typing import Protocol

from rich import console as rich_console

from kickstarting import config as config_lib


class Run(Protocol):
    """A training run of a study; runs.Run and multi_task_runs.MultiTaskRun are some."""

    @property
    def logdir(self) -> str:
        """The run's folder."""

    def is_finished(self) -> bool:
        """Whether the run was trained and evaluated to its end, here or elsewhere."""

    def train(self) -> int:
        """Trains what is missing; returns the exit status."""

    def record(self) -> object:
        """Keeps the record of the finished run."""


def check_lists(seeds: Sequence[str], **lists: Sequence[str]) -> None:
    """Checks flags that are lists.

    Args:
      seeds: of --seeds.
      **lists: of other flags, by their names.

    Raises:
      config_lib.ConfigError: one is empty or names something twice, or a seed is no
        number.
    """
    for name, values in {**lists, "seeds": seeds}.items():
        if not values or len(set(values)) < len(values):
            raise config_lib.ConfigError(
                f"--{name} must name at least one, and none twice"
            )
    if not all(seed.isdecimal() for seed in seeds):
        raise config_lib.ConfigError("--seeds are numbers")


def train_missing(all_runs: Sequence[Run], console: rich_console.Console) -> int:
    """Trains the runs that are not finished, one after the other.

    Returns:
      0, or the exit status of the run that broke off the study.
    """
    for number, run in enumerate(all_runs, 1):
        if run.is_finished():
            continue
        console.rule(f"{number} of {len(all_runs)}: {run.logdir}")
        status = run.train()
        if status:
            return status
        run.record()
    return 0
