"""What a person gets of a population: a table, a picture, the best member."""

import math
import os

import numpy as np
from rich import console as rich_console
from rich import table as rich_table

from kickstarting.config import run as config_lib
from kickstarting.population import events as population_events
from kickstarting.population import hyperparameters
from kickstarting.population import picture as population_picture
from kickstarting.population import rules as population
from kickstarting.reporting import learning_curves, run_files
from launch.processes import members

PICTURE_FILE = "population.png"
_SCORE = "mean_capped_score"


def finish(config: config_lib.Config) -> config_lib.Config:
    """Tells how the members ended and draws how they came there.

    Args:
      config: of the finished run.

    Returns:
      the configuration of the member with the highest training score.
    """
    events = population_events.PopulationEvents(config.logdir)
    of_members = members.configs(config)
    known = [_known(member.logdir) for member in of_members]
    curves = [
        _curve(member, *each) for member, each in zip(of_members, known, strict=True)
    ]
    final = [_last(values) for _, values in known]
    best = int(np.argmax(final))
    newest = events.newest()
    console = rich_console.Console()
    evolved = list(hyperparameters.of_config(config))
    names = [name for name in evolved if not name.startswith(population.FACTOR)]
    view = rich_table.Table(title="Population", title_justify="left")
    for name in ("member", "training score", *names, "copies"):
        view.add_column(name.replace("_", " "), justify="right")
    for index in range(len(of_members)):
        own = newest[index].after
        copies = sum(each.copied for each in events.events if each.member == index)
        view.add_row(
            str(index),
            f"{final[index]:.1f}",
            *(f"{own[name]:.3g}" for name in names),
            str(copies),
            style="bold" if index == best else "",
        )
    console.print(view)
    path = os.path.join(config.logdir, PICTURE_FILE)
    population_picture.draw(path, curves, events.events, best, evolved)
    console.print(f"Wrote {path}", highlight=False)
    return of_members[best]


def training_score(logdir: str) -> float:
    """Returns a member's last mean capped score, −inf where none is known.

    Args:
      logdir: of the member.

    Raises:
      run_files.RunFilesError: it has no metrics.csv that can be read.
    """
    return _last(_known(logdir)[1])


def _last(values: np.ndarray) -> float:
    return float(values[-1]) if len(values) else -math.inf


def _known(logdir: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns frames and scores, float [n], of the rows whose score is known."""
    metrics = run_files.read_metrics(logdir, [_SCORE])
    known = ~np.isnan(metrics[_SCORE])
    return metrics[run_files.FRAMES][known], metrics[_SCORE][known]


def _curve(
    member: config_lib.Config, frames: np.ndarray, values: np.ndarray
) -> learning_curves.Curve | None:
    """Returns a member's training score; None where no task's episodes are known."""
    if not len(frames):
        return None
    return learning_curves.Curve(
        os.path.basename(member.logdir), frames, values, member.seed
    )
