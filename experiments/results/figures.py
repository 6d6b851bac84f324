"""The figures of an experiment, as PNG for a page and SVG for a paper."""

import itertools
import os

import numpy as np

from experiments.experiment import Experiment
from experiments.results import paper_figure, scoring
from experiments.results.tables import Records
from experiments.running import records as run_records
from kickstarting.reporting import learning_curves

# Of which episodes of training scores are.
_RECENT = "of the episodes within a tenth of the frames in training"
_NEWEST = "of the newest 100 episodes of each task in training"
# What a trace of metrics.csv is called on an axis, and whether the axis is logarithmic.
_TRACES = {
    "global_weight": ("λ's global factor α", True),
    "kl_teacher_student": ("KL of teacher and student (nats)", True),
    "learning_rate": ("learning rate", True),
    "logit_margin": ("logit margin of the likeliest action", False),
    "entropy_cost": ("entropy cost", True),
}


def draw(name: str, experiment: Experiment, found: Records, folder: str) -> list[str]:
    """Draws an experiment.

    Args:
      name: of the experiment.
      experiment: the experiment.
      found: the finished runs of each condition.
      folder: takes the files.

    Returns:
      The names of the PNG files; of each there is an SVG too.
    """
    drawn = []
    figures = dict.fromkeys(
        each.figure for each in experiment.conditions if each.figure
    )
    for figure in figures or {"": None}:
        file = f"{name}_{figure}.png" if figure else f"{name}.png"
        labels = [
            each.label for each in experiment.conditions if each.figure in ("", figure)
        ]
        curves = [
            _score_curve(label, record, experiment.charge_teachers)
            for label in labels
            for record in found.get(label, ())
            if scoring.has_curve(record)
        ]
        if curves:
            recent = all(map(scoring.is_recent, itertools.chain(*found.values())))
            learning_curves.learning_curves(
                curves,
                os.path.join(folder, file),
                experiment.title,
                quantity="mean capped normalised score",
                note=_RECENT if recent else _NEWEST,
            )
            drawn.append(file)
    if experiment.paper_scores:
        drawn.append(paper_figure.draw(name, experiment, found, folder))
    return drawn + [
        file
        for trace in experiment.traces
        if (file := _draw_trace(name, trace, experiment, found, folder))
    ]


def _score_curve(
    label: str, record: run_records.Record, charge_teachers: bool
) -> learning_curves.Curve:
    frames, values = scoring.curve(record)
    if charge_teachers:
        frames = frames + scoring.teacher_frames(record)
    return learning_curves.Curve(label, frames, values, _seed(record))


def _draw_trace(
    name: str, trace: str, experiment: Experiment, found: Records, folder: str
) -> str:
    """Draws a column of the runs that have it; returns the file, '' if none has."""
    quantity, logarithmic = _axis(trace)
    curves = []
    for label, records in found.items():
        for record in records:
            if trace in record.columns:
                values = record.column(trace)
                # Zero has no place on a logarithmic axis: the line ends there.
                known = np.isfinite(values) & ((values > 0) | (not logarithmic))
                if known.any():
                    curves.append(
                        learning_curves.Curve(
                            label,
                            np.array(record.frames)[known],
                            values[known],
                            _seed(record),
                        )
                    )
    if not curves:
        return ""
    file = f"{name}_{trace.replace('/', '_').replace(':', '_')}.png"
    learning_curves.learning_curves(
        curves,
        os.path.join(folder, file),
        experiment.title,
        quantity=quantity,
        logarithmic=logarithmic,
    )
    return file


def _axis(trace: str) -> tuple[str, bool]:
    """Returns what a trace is called, and whether its axis is logarithmic."""
    name, _, task = trace.partition("/")
    if name == "kickstarting_weight":
        return f"λ of {task.rpartition(':')[2]}", True
    return _TRACES.get(trace, (trace, False))


def _seed(record: run_records.Record) -> int:
    return int(record.identity["seed"])
