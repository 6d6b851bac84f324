"""The experiments: one small file each, whose name is the experiment's.

They stand in folders by what they are for; an experiment's name is without its folder.
"""

import dataclasses
import importlib
import os
import pkgutil
import runpy
from collections.abc import Sequence

from experiments.experiment import Experiment
from kickstarting.config import run as config_lib
from kickstarting.environments import base

_FILE = ".py"
_FOLDERS = (
    "experiments.catalogue.claims",
    "experiments.catalogue.paper",
    "experiments.catalogue.questions",
    "experiments.catalogue",
)


def names() -> tuple[str, ...]:
    """Returns the names of all experiments, sorted."""
    return tuple(sorted(_modules()))


def load(name: str, seeds: Sequence[int] = (), quick: bool = False) -> Experiment:
    """Returns an experiment.

    Args:
      name: one of `names`, or a Python file that declares an EXPERIMENT.
      seeds: in place of its own; empty: its own.
      quick: whether it is to be over in minutes; see Experiment.quick.

    Raises:
      config_lib.ConfigError: there is none of that name, or the seeds are not good.
    """
    if name.endswith(_FILE):
        experiment = _of_file(name)
    elif name in names():
        experiment = importlib.import_module(_modules()[name]).EXPERIMENT
    else:
        raise config_lib.ConfigError(
            f"there is no experiment {name!r}{base.nearest_name(name, names())}"
        )
    if quick:
        experiment = experiment.quick()
    return dataclasses.replace(experiment, seeds=tuple(seeds)) if seeds else experiment


def title(name: str) -> str:
    """Returns the name of an experiment, without the folder of its file."""
    return os.path.basename(name).removesuffix(_FILE)


def _modules() -> dict[str, str]:
    """Returns for each experiment's name the module that declares it."""
    return {
        module.name: f"{folder}.{module.name}"
        for folder in _FOLDERS
        for module in pkgutil.iter_modules(importlib.import_module(folder).__path__)
        if not module.ispkg
    }


def _of_file(path: str) -> Experiment:
    """Returns the experiment that a file declares, which is run as code."""
    if not os.path.isfile(path):
        raise config_lib.ConfigError(f"there is no file {path}")
    experiment = runpy.run_path(path).get("EXPERIMENT")
    if not isinstance(experiment, Experiment):
        raise config_lib.ConfigError(f"{path} declares no EXPERIMENT")
    return experiment
