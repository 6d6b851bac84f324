"""The figures of comparisons as a table in Markdown, for documents."""

from collections.abc import Sequence
from typing import Any

_HEADER = (
    "| level | mark, by frames | who | mean reaches it at | seeds | last mean | "
    "largest fall, of the way up | CPU minutes |\n"
    "|---|---|---|---|---|---|---|---|\n"
)
_NOT = "not"


def markdown(tasks: Sequence[dict[str, Any]]) -> str:
    """Returns a table with a row for each level, mark and competitor.

    Where the mean of the seeds has met a mark, its frames are bold.

    Args:
      tasks: what summary.of_task returned, of each level.
    """
    return _HEADER + "".join(
        f"| {' | '.join(row)} |\n" for task in tasks for row in _rows(task)
    )


def _rows(task: dict[str, Any]) -> list[list[str]]:
    rows = []
    for figures in task["peers"].values():
        seeds = figures["seeds"]
        last = figures["final_return"]
        # Where no mark was reached a fall is noise.
        falls = [
            each["largest_fall"]
            for each in seeds
            if any(mark["reached_at_frames"] is not None for mark in each["marks"])
        ]
        minutes = sum(seed["cpu_minutes"] for seed in seeds) / len(seeds)
        for number, mark in enumerate(figures["marks"]):
            reached = _frames(mark["reached_at_frames"])
            each = [seed["marks"][number]["reached_at_frames"] for seed in seeds]
            rows.append(
                [
                    task["task"],
                    f"{mark['mean_return']:g} by {_frames(mark['frames'])}",
                    figures["title"],
                    f"**{reached}**" if mark["met"] else reached,
                    ", ".join(_frames(frames) for frames in each),
                    _return(last),
                    f"{max(falls):.0%}" if falls else _NOT,
                    f"{minutes:.1f}",
                ]
            )
    return rows


def _return(value: float | None) -> str:
    if value is None:
        return _NOT
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _frames(frames: float | None) -> str:
    return _NOT if frames is None else f"{frames / 1000:.0f}k"
