"""Our curves and the paper's numbers side by side, on the same axes."""

import os

import matplotlib
import numpy as np
from matplotlib import axes, figure

from experiments.experiment import Experiment
from experiments.results import scoring
from experiments.results.tables import Records
from kickstarting.reporting import learning_curves
from kickstarting.scores import normalised as scores

_GRID = np.linspace(0.0, 1.0, 101)


def draw(name: str, experiment: Experiment, found: Records, folder: str) -> str:
    """Draws mean scores over shares of the budget, ours and the paper's.

    Args:
      name: of the experiment.
      experiment: with paper_scores.
      found: the finished runs of each condition.
      folder: takes the files, a PNG and an SVG.

    Returns:
      The name of the PNG file.
    """
    plot = figure.Figure(figsize=(9.9, 4.8), layout="constrained")
    ours, theirs = plot.subplots(1, 2, sharex=True, sharey=True)
    for number, (label, records) in enumerate(found.items()):
        curves = [
            np.interp(_GRID * experiment.total_frames, *scoring.curve(record))
            for record in records
        ]
        ours.plot(
            _GRID, np.mean(curves, axis=0), label=label, **_style(number, marker="")
        )
    seeds = sorted({len(records) for records in found.values()})
    plot.supxlabel(
        f"here: means of {' or '.join(map(str, seeds))} seeds, of the newest 100 "
        "episodes of each task in training; paper: the entries of its tables",
        fontsize="x-small",
    )
    for number, (label, by_share) in enumerate(experiment.paper_scores.items()):
        theirs.plot(
            list(by_share), list(by_share.values()), label=label, **_style(number, "o")
        )
    _finish(ours, f"here ({len(experiment.tasks)} tasks)")
    _finish(theirs, "Schmitt et al. 2018 (its tables)")
    ours.set_ylabel("mean capped normalised score")
    file = f"{name}_paper.png"
    path = os.path.join(folder, file)
    os.makedirs(folder, exist_ok=True)
    plot.savefig(path, format="png", dpi=160)
    with matplotlib.rc_context({"svg.hashsalt": "kickstarting"}):
        plot.savefig(
            path.replace(".png", ".svg"), format="svg", metadata={"Date": None}
        )
    return file


def _finish(panel: axes.Axes, title: str) -> None:
    panel.set(title=title, xlabel="share of the budget", ylim=(0.0, scores.CAP))
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(color="0.92", lw=0.6)
    # Below the panel, where no curve is.
    panel.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.16),
        frameon=False,
        fontsize="small",
    )


def _style(number: int, marker: str) -> dict[str, object]:
    dashes, colour = divmod(number, len(learning_curves.COLOURS))
    return {
        "color": learning_curves.COLOURS[colour],
        "linestyle": learning_curves.DASHES[dashes],
        "marker": marker,
        "lw": 1.8,
    }
