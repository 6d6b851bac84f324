"""The picture of a comparison: returns against frames, and against the clock."""

import os
import pathlib
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib import axes, figure

from benchmarks.comparison import curves, marks
from benchmarks.comparison.competitors import COMPETITORS
from benchmarks.comparison.records import Record
from kickstarting.reporting import learning_curves


def draw(task: str, found: Sequence[Record], path_png: str) -> None:
    """Draws the trainings on a task, as PNG and as SVG beside it.

    Thin lines are seeds, the bold one is their mean at equal frames. Crosses are the
    task's marks.

    Args:
      task: `suite:level`.
      found: its records; those without a curve are left out.
      path_png: the file to write; its folder is made.
    """
    plot = figure.Figure(figsize=(9.0, 4.0), layout="constrained")
    by_frames, by_time = plot.subplots(1, 2, sharey=True)
    for peer, colour in zip(COMPETITORS, learning_curves.COLOURS, strict=False):
        each = [
            record.curve
            for record in found
            if record.training.peer == peer and len(record.curve.returns)
        ]
        for curve in each:
            thin = {"color": colour, "lw": 0.7, "alpha": 0.45}
            _draw(by_frames, by_time, curve, **thin)
        if each:
            seeds = f" ({len(each)} seeds)" if len(each) > 1 else ""
            label = f"{COMPETITORS[peer].title}{seeds}"
            bold = {"color": colour, "lw": 2.2, "label": label}
            _draw(by_frames, by_time, curves.mean(each), **bold)
    longest = max(record.training.total_frames for record in found)
    for mark in marks.MARKS.get(task, ()):
        if mark.frames <= longest:
            by_frames.plot(mark.frames / 1e3, mark.mean_return, "k+", ms=9)
    plot.suptitle(task)
    by_frames.set(
        xlabel="environment frames (thousands)",
        ylabel=f"mean return of {curves.WINDOW} episodes",
    )
    by_time.set(xlabel="minutes")
    for panel in (by_frames, by_time):
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(color="0.92", lw=0.6)
        panel.set_axisbelow(True)
    plot.legend(loc="outside lower center", ncols=3, frameon=False, fontsize="small")
    png = pathlib.Path(path_png)
    os.makedirs(png.parent, exist_ok=True)
    plot.savefig(png, format="png", dpi=200)
    # Without a date and with a fixed salt, the same curves give the same file.
    with matplotlib.rc_context({"svg.hashsalt": "kickstarting"}):
        plot.savefig(png.with_suffix(".svg"), format="svg", metadata={"Date": None})


def _draw(
    by_frames: axes.Axes, by_time: axes.Axes, curve: curves.Curve, **style: Any
) -> None:
    by_frames.plot(curve.frames / 1e3, curve.returns, **style)
    # One entry in the legend.
    by_time.plot(curve.seconds / 60, curve.returns, **{**style, "label": None})
