"""The experiments: one small file each, whose name is the experiment's."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Sequence

from experiments.experiment import Experiment
from kickstarting import config as config_lib
from kickstarting.environments import base


def names() -> tuple[str, ...]:
    """Returns the names of all experiments, sorted."""
    return tuple(
        sorted(
            module.name
            for module in pkgutil.iter_modules(__path__)
            if not module.name.startswith("_")
        )
    )


def load(name: str, seeds: Sequence[int] = (), quick: bool = False) -> Experiment:
    """Returns an experiment.

    Args:
      name: one of `names`.
      seeds: in place of its own; empty: its own.
      quick: whether it is to be over in minutes; see Experiment.quick.

    Raises:
      config_lib.ConfigError: there is none of that name, or the seeds are not good.
    """
    if name not in names():
        raise config_lib.ConfigError(
            f"there is no experiment {name!r}{base.nearest_name(name, names())}"
        )
    experiment = importlib.import_module(f"{__name__}.{name}").EXPERIMENT
    if quick:
        experiment = experiment.quick()
    return dataclasses.replace(experiment, seeds=tuple(seeds)) if seeds else experiment
