"""Learning curves, as PNG for a page and SVG for a paper."""

import dataclasses
import os
import pathlib
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib import axes, figure

from kickstarting.reporting import logarithmic_axis

# Okabe and Ito's colours, which the colour-blind can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# Of the bold lines, once the colours are used up.
DASHES = ("-", "--")
_GRID_POINTS = 200
# Of the x axis; wide enough to calm episodes' noise, narrow enough to show a rise.
_SMOOTHING = 0.04
# Letters that a legend has room for in each of two columns, and in one; inches a row.
_COLUMN = 36
_LINE = 80
_ROW = 0.17


@dataclasses.dataclass(frozen=True)
class Curve:
    """The learning curve of one run.

    Attributes:
      label: the condition; curves of one label are seeds of it.
      frames: int or float [N] of environment frames, not falling.
      returns: float [N], raw, or the scores that are drawn in their place.
      seed: of the run.
    """

    label: str
    frames: np.ndarray
    returns: np.ndarray
    seed: int

    def __post_init__(self) -> None:
        """Checks the arrays.

        Raises:
          ValueError: with one line.
        """
        frames, returns = np.asarray(self.frames), np.asarray(self.returns)
        name = f"curve {self.label!r} (seed {self.seed})"
        if frames.ndim != 1 or frames.shape != returns.shape or not frames.size:
            raise ValueError(
                f"{name} needs as many returns as frames, and at least one, but has "
                f"shapes {returns.shape} and {frames.shape}"
            )
        if not (np.isfinite(frames).all() and np.isfinite(returns).all()):
            raise ValueError(f"{name} holds values that are not finite")
        if (np.diff(frames) < 0).any():
            raise ValueError(f"{name} has frames that fall: sort it by frames")


def smooth(curve: Curve, grid: np.ndarray, window: float) -> np.ndarray:
    """Returns a curve's moving average on a common grid.

    Args:
      curve: the curve.
      grid: float [G] of environment frames.
      window: environment frames over which a point averages, centred on it.

    Returns:
      float64 [G]; where a window holds no point the curve's neighbours are
      interpolated; NaN where the grid leaves the curve.
    """
    frames = np.asarray(curve.frames, np.float64)
    returns = np.asarray(curve.returns, np.float64)
    start = np.searchsorted(frames, grid - window / 2, side="left")
    stop = np.searchsorted(frames, grid + window / 2, side="right")
    total = np.concatenate([[0.0], np.cumsum(returns)])
    count = stop - start
    mean = (total[stop] - total[start]) / np.maximum(count, 1)
    smoothed = np.where(count > 0, mean, np.interp(grid, frames, returns))
    outside = (grid < frames[0]) | (grid > frames[-1])
    return np.where(outside, np.nan, smoothed)


def learning_curves(
    curves: Sequence[Curve],
    path_png: str | os.PathLike[str],
    title: str,
    teacher_return: float | None = None,
    random_return: float | None = None,
    quantity: str = "return",
    logarithmic: bool = False,
    note: str = "",
) -> None:
    """Draws a quantity over environment frames, one colour for each condition.

    Thin lines are seeds, the bold one is their mean and the band spans from the lowest
    to the highest; both end where the shortest seed ends. The picture says so itself.
    A second file of the same name ends in .svg.

    Args:
      curves: at least one.
      path_png: the file to write; its folder is made.
      title: of the figure.
      teacher_return: drawn as a dashed line.
      random_return: of the uniformly random policy, drawn as a dotted line.
      quantity: names what the curves hold.
      logarithmic: whether its axis is; the values are then above 0, and the mean is
        the geometric one, or the largest seed would stand for all.
      note: what else the picture is to say of its curves.

    Raises:
      ValueError: there are no curves, or more conditions than kinds of line.
    """
    conditions = _conditions(curves)
    names = [*conditions, "random policy"]
    columns = 2 if max(map(len, names)) <= _COLUMN else 1
    rows = -(-len(names) // columns)
    plot = figure.Figure(figsize=(6.4, 4.0 + _ROW * rows), layout="constrained")
    panel = plot.subplots()
    last = max(float(curve.frames[-1]) for curve in curves)
    first = min(float(curve.frames[0]) for curve in curves)
    grid = np.linspace(first, last, _GRID_POINTS)
    window = _SMOOTHING * (last - first)
    average = _geometric_mean if logarithmic else np.mean
    for number, (label, seeds) in enumerate(conditions.items()):
        smoothed = np.stack([smooth(curve, grid, window) for curve in seeds])
        dashes, colour = divmod(number, len(COLOURS))
        _draw_condition(
            panel, grid, smoothed, average, label, COLOURS[colour], DASHES[dashes]
        )
    for value, style, label in (
        (teacher_return, "--", "teacher"),
        (random_return, ":", "random policy"),
    ):
        if value is not None:
            panel.axhline(value, color="0.35", linestyle=style, lw=1.2, label=label)
    panel.set(title=title, xlabel="environment frames (millions)", ylabel=quantity)
    if logarithmic:
        logarithmic_axis.use(panel)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(color="0.92", lw=0.6)
    panel.set_axisbelow(True)
    plot.legend(
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        fontsize="small",
        title="\n".join(_says(conditions, logarithmic, note)),
        title_fontsize="x-small",
    )
    png = pathlib.Path(path_png)
    png.parent.mkdir(parents=True, exist_ok=True)
    plot.savefig(png, format="png", dpi=200)
    # Without a date and with a fixed salt, the same curves give the same file.
    with matplotlib.rc_context({"svg.hashsalt": "kickstarting"}):
        plot.savefig(png.with_suffix(".svg"), format="svg", metadata={"Date": None})


def _conditions(curves: Sequence[Curve]) -> Mapping[str, list[Curve]]:
    if not curves:
        raise ValueError("there are no curves to draw: give at least one")
    conditions: dict[str, list[Curve]] = {}
    for curve in curves:
        conditions.setdefault(curve.label, []).append(curve)
    most = len(COLOURS) * len(DASHES)
    if len(conditions) > most:
        raise ValueError(
            f"{len(conditions)} conditions are more than the {most} kinds of line: "
            "draw them in two figures"
        )
    return conditions


def _says(
    conditions: Mapping[str, list[Curve]], logarithmic: bool, note: str
) -> Iterator[str]:
    """Yields what a reader must know to read the lines."""
    if max(map(len, conditions.values())) > 1:
        mean = "geometric mean" if logarithmic else "mean"
        yield f"bold: {mean} of the seeds; thin: each; band: from lowest to highest"
    else:
        yield "one seed each"
    more = f", {note}" if note else ""
    yield f"moving average over {_SMOOTHING:.0%} of the frames{more}"


def _draw_condition(
    panel: axes.Axes,
    grid: np.ndarray,
    smoothed: np.ndarray,
    average: Callable[..., np.ndarray],
    label: str,
    colour: str,
    dashes: str,
) -> None:
    """Draws seeds, mean and band of `smoothed`, float [seeds, G]."""
    millions = grid / 1e6
    if len(smoothed) == 1:
        name = _wrapped(label)
        panel.plot(millions, smoothed[0], dashes, color=colour, lw=2.2, label=name)
        return
    panel.plot(millions, smoothed.T, color=colour, lw=0.7, alpha=0.45)
    # NaN in any seed is NaN here: a mean over fewer seeds would show a false jump.
    low, high = smoothed.min(axis=0), smoothed.max(axis=0)
    panel.fill_between(millions, low, high, color=colour, alpha=0.13, lw=0)
    name = f"{label} ({len(smoothed)} seeds)"
    mean = average(smoothed, axis=0)
    panel.plot(millions, mean, dashes, color=colour, lw=2.2, label=_wrapped(name))


def _wrapped(label: str) -> str:
    return "\n".join(textwrap.wrap(label, _LINE))


def _geometric_mean(values: np.ndarray, axis: int) -> np.ndarray:
    # Slow to import, and most who import this module draw nothing logarithmic.
    from scipy import stats

    return stats.gmean(values, axis=axis)
