"""The picture of a population: scores, lineages, and who came from whom.

As figure 2 of Schmitt et al. 2018 and Jaderberg et al. 2017 have them.
"""

import os
import pathlib
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib import axes, colormaps, figure

from kickstarting.population import events as population_events
from kickstarting.population import rules as population
from kickstarting.reporting import learning_curves, logarithmic_axis

_BEST_COLOUR = "#D55E00"
_OTHER_COLOUR = "0.65"
_COPY_COLOUR = "#0072B2"
_LEGEND_ROWS = 10


def draw(
    path_png: str | os.PathLike[str],
    curves: Sequence[learning_curves.Curve | None],
    events: Sequence[population_events.Event],
    best: int,
    names: Sequence[str],
) -> None:
    """Draws a population; a second file of the same name ends in .svg.

    Args:
      path_png: the file to write; its folder is made.
      curves: score of each member over its frames; None where none is known.
      events: of the population, in order.
      best: the member whose lineage is drawn bold.
      names: hyperparameters to draw over frames along every member's lineage; those of
        single tasks (population.FACTOR) share a panel, along the best one's alone.
    """
    factors = [name for name in names if name.startswith(population.FACTOR)]
    names = [name for name in names if name not in factors]
    rows = -(-(len(names) + 2 + bool(factors)) // 2)
    plot = figure.Figure(figsize=(9.6, 2.6 * rows), layout="constrained")
    panels = list(plot.subplots(rows, 2, squeeze=False).flat)
    _draw_scores(panels[0], curves, best)
    for panel, name in zip(panels[1:], names, strict=False):
        for member in _drawn_order(len(curves), best):
            steps = population_events.trace(events, member, name)
            frames, values = np.array(steps, float).T
            panel.step(frames / 1e6, values, where="post", **_style(member == best))
        logarithmic_axis.use(panel)
        panel.set_ylabel(name.replace("_", " "))
    further = iter(panels[len(names) + 1 :])
    if factors:
        _draw_weights(next(further), events, best, factors)
    _draw_ancestry(next(further), events, len(curves), best)
    for panel in further:
        panel.set_visible(False)
    for panel in panels:
        panel.set_xlabel("environment frames of a member (millions)")
        panel.spines[["top", "right"]].set_visible(False)
    png = pathlib.Path(path_png)
    png.parent.mkdir(parents=True, exist_ok=True)
    plot.savefig(png, format="png", dpi=160)
    with matplotlib.rc_context({"svg.hashsalt": "kickstarting"}):
        plot.savefig(png.with_suffix(".svg"), format="svg", metadata={"Date": None})


def _draw_scores(
    panel: axes.Axes, curves: Sequence[learning_curves.Curve | None], best: int
) -> None:
    for member in _drawn_order(len(curves), best):
        curve = curves[member]
        if curve is not None:
            panel.plot(curve.frames / 1e6, curve.returns, **_style(member == best))
    panel.set_ylabel("mean capped score")


def _draw_weights(
    panel: axes.Axes,
    events: Sequence[population_events.Event],
    best: int,
    factors: Sequence[str],
) -> None:
    """One line a task: α·ρ_i along the best member's lineage."""
    frames, weight = np.array(
        population_events.trace(events, best, population.WEIGHT), float
    ).T
    colours = colormaps["viridis"](np.linspace(0, 0.95, len(factors)))
    for factor, colour in zip(factors, colours, strict=True):
        _, rho = np.array(population_events.trace(events, best, factor), float).T
        task = factor.removeprefix(population.FACTOR).rpartition(":")[2]
        panel.step(frames / 1e6, weight * rho, where="post", color=colour, label=task)
    logarithmic_axis.use(panel)
    panel.set_ylabel("λ of each task")
    columns = -(-len(factors) // _LEGEND_ROWS)
    panel.legend(fontsize="xx-small", frameon=False, ncols=columns)


def _draw_ancestry(
    panel: axes.Axes,
    events: Sequence[population_events.Event],
    size: int,
    best: int,
) -> None:
    """One line a member, and an arrow for each copy; the best one's lineage is bold."""
    last = max((event.frames for event in events), default=0)
    for member in range(size):
        panel.plot([0, last / 1e6], [member, member], color="0.85", lw=1)
    for event in events:
        if event.copied:
            panel.annotate(
                "",
                xy=(event.frames / 1e6, event.member),
                xytext=(event.frames / 1e6, event.other),
                arrowprops={"arrowstyle": "->", "color": _COPY_COLOUR, "lw": 0.8},
            )
    for each in population_events.stretches(events, best):
        millions = np.clip([each.after, each.until], 0, last) / 1e6
        panel.plot(millions, [each.member, each.member], **_style(True))
    panel.set(ylabel="member", yticks=range(size))


def _drawn_order(size: int, best: int) -> list[int]:
    """The best one last, above the others."""
    return [*(member for member in range(size) if member != best), best]


def _style(is_best: bool) -> dict[str, object]:
    if is_best:
        return {"color": _BEST_COLOUR, "lw": 1.8}
    return {"color": _OTHER_COLOUR, "lw": 0.7}
