"""The figures of a comparison, for JSON."""

from collections.abc import Sequence
from typing import Any

from benchmarks.comparison import curves, marks
from benchmarks.comparison.competitors import COMPETITORS
from benchmarks.comparison.records import Record


def of_task(task: str, found: Sequence[Record]) -> dict[str, Any]:
    """Returns what a task's trainings came to.

    Args:
      task: `suite:level`.
      found: its records, of all competitors.
    """
    peers = dict.fromkeys(record.training.peer for record in found)
    return {
        "task": task,
        "peers": {
            peer: _of_peer([each for each in found if each.training.peer == peer])
            for peer in peers
        },
    }


def _of_peer(found: Sequence[Record]) -> dict[str, Any]:
    wanted = marks.MARKS.get(found[0].training.task, ())
    mean = curves.mean([record.curve for record in found])
    return {
        "title": COMPETITORS[found[0].training.peer].title,
        "settings": found[0].settings,
        "final_return": _last(mean),
        "marks": [_of_mark(mark, mean) for mark in wanted],
        "seeds": [_of_seed(record, wanted) for record in found],
    }


def _of_mark(mark: marks.Mark, mean: curves.Curve) -> dict[str, Any]:
    """Returns what the mean over seeds makes of a mark."""
    first = curves.first_at(mean, mark.mean_return)
    return {
        **mark._asdict(),
        "met": first is not None and first[0] <= mark.frames,
        **_place(first),
    }


def _of_seed(record: Record, wanted: Sequence[marks.Mark]) -> dict[str, Any]:
    curve = record.curve
    return {
        "seed": record.training.seed,
        "total_frames": record.training.total_frames,
        "final_return": _last(curve),
        "final_trained_return": record.trained_return,
        "best_return": float(curve.returns.max()) if len(curve.returns) else None,
        "largest_fall": curves.largest_fall(curve),
        "marks": [
            {
                **mark._asdict(),
                **_place(curves.first_at(curve, mark.mean_return)),
            }
            for mark in wanted
        ],
        "minutes": record.seconds / 60,
        "cpu_minutes": record.cpu_seconds / 60,
        "limit_minutes": record.minutes,
        "limit_reached": record.limit_reached,
        "threads": record.training.threads,
        "cores": record.cores,
        "at_once": record.at_once,
    }


def _last(curve: curves.Curve) -> float | None:
    return float(curve.returns[-1]) if len(curve.returns) else None


def _place(first: tuple[float, float] | None) -> dict[str, float | None]:
    frames, seconds = first or (None, None)
    return {
        "reached_at_frames": frames,
        "reached_at_minutes": None if seconds is None else seconds / 60,
    }
