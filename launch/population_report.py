"""What a person gets of a population: a table, a picture, the best member."""

import math
import os

import numpy as np
from rich import console as rich_console
from rich import table as rich_table

from kickstarting import config as config_lib
from kickstarting import (
    hyperparameters,
    learning_curves,
    population,
    population_events,
    population_picture,
    run_files,
)
from launch import members

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
    curves = [_curve(member) for member in of_members]
    final = [curve.returns[-1] if curve else -math.inf for curve in curves]
    best = int(np.argmax(final))
    newest = events.newest()
    console = rich_console.Console()
    names = [
        name
        for name in hyperparameters.of_config(config)
        if not name.startswith(population.FACTOR)
    ]
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
    population_picture.draw(path, curves, events.events, best, names)
    console.print(f"Wrote {path}", highlight=False)
    return of_members[best]


def _curve(member: config_lib.Config) -> learning_curves.Curve | None:
    """Returns a member's training score; None where no task's episodes are known."""
    metrics = run_files.read_metrics(member.logdir)
    frames, values = metrics[run_files.FRAMES], metrics[_SCORE]
    known = ~np.isnan(values)
    if not known.any():
        return None
    return learning_curves.Curve(
        os.path.basename(member.logdir), frames[known], values[known], member.seed
    )
