"""What a run's telemetry knows, in words: tables for a terminal, or one plain line.

A run with many tasks shows as many as there is room for.
"""

from collections.abc import Callable, Mapping, Sequence

from rich import box, panel, progress_bar, table, text
from rich import console as rich_console

from kickstarting.reporting import figures, unanswered
from kickstarting.reporting import telemetry as telemetry_lib

# Lines of the picture other than tasks, with its frame and the prompt below it.
_LINES_WITHOUT_TASKS = 17
_FEWEST_TASK_LINES = 3
_TASKS_IN_A_LINE = 4

# (name in the row, what a person reads, how the value is written)
_TROUBLES = (
    ("worker_restarts", "environment restarts", figures.count),
    ("dropped_unrolls", "dropped unrolls", figures.count),
    ("teacher_timeouts", "teacher timeouts", figures.count),
    ("unanswered_unrolls", "unrolls without advice", figures.count),
    # A mean over the actors.
    ("teachers_resting", "teacher servers resting", figures.number),
)
_POLICY = (
    ("entropy", "entropy", figures.number),
    ("cross_entropy", "CE", figures.number),
    ("kl_teacher_student", "KL", figures.number),
    ("teacher_agreement", "agreement", figures.percent),
    ("teacher_coverage", "answered", figures.percent),
)
_ACTOR_WAITS = (
    ("wait_environment", "environments"),
    ("wait_teacher", "teacher"),
    ("wait_queue", "queue"),
)
_LEARNER_WAITS = (("wait_data", "data"),)


class TelemetryText:
    """Puts a telemetry's newest row into words."""

    def __init__(
        self,
        telemetry: Callable[[], telemetry_lib.Telemetry],
        title: str,
        comes_next: str = "",
    ) -> None:
        """Names what is shown.

        Args:
          telemetry: gives what is shown: another learner may have another one.
          title: names the run.
          comes_next: what is done after the last frame; empty: nothing.
        """
        self._comes_next = comes_next
        self._telemetry = telemetry
        self._title = title

    def picture(self, console: rich_console.Console) -> rich_console.RenderableType:
        """Returns the run as tables that fit the console.

        Args:
          console: where it will be drawn.
        """
        telemetry = self._telemetry()
        row = telemetry.row()
        parts: list[rich_console.RenderableType] = [
            _progress(row, telemetry.total_frames, self._left(row, telemetry)),
            _speed(row),
            text.Text(),
            _task_table(row, telemetry.tasks, console),
            text.Text(),
            _facts(_named_facts(row, telemetry.score_window_frames)),
        ]
        return panel.Panel(
            rich_console.Group(*parts),
            title=text.Text(f"{self._title}{_state(telemetry)}", style="bold"),
            title_align="left",
            border_style="dim",
        )

    def _left(
        self, row: Mapping[str, float], telemetry: telemetry_lib.Telemetry
    ) -> str:
        if row["frames"] < telemetry.total_frames:
            return f"{figures.duration(row['seconds_left'])} left"
        return f"trained, {self._comes_next}" if self._comes_next else "trained"

    def line(self, console: rich_console.Console) -> str:
        """Returns the run as one line of plain text.

        Args:
          console: where it will be printed.
        """
        telemetry = self._telemetry()
        row, total = telemetry.row(), telemetry.total_frames
        parts = [
            f"{self._title}{_state(telemetry)}: {row['frames']:,} of {total:,} frames "
            f"({figures.percent(row['frames'] / total)}), "
            f"{figures.count(row['frames_per_second/60s'])}/s, "
            + self._left(row, telemetry),
            *(
                f"{task} {_task_line(row, task, figures.lambda_on(console))}"
                for task in telemetry.tasks[:_TASKS_IN_A_LINE]
            ),
        ]
        hidden = len(telemetry.tasks) - _TASKS_IN_A_LINE
        if hidden > 0:
            parts.append(f"... and {hidden} more")
        facts = _named_facts(row, telemetry.score_window_frames)
        parts += [f"{name} {words}" for name, words in facts]
        return " | ".join(parts)


def _state(telemetry: telemetry_lib.Telemetry) -> str:
    """Returns what follows the title: nothing, where frames and speed tell enough."""
    return "" if telemetry.has_updates else ", compiling until its first update"


def _progress(
    row: Mapping[str, float], total_frames: int, left: str
) -> rich_console.RenderableType:
    frames = row["frames"]
    grid = table.Table.grid(padding=(0, 1), expand=True)
    grid.add_column(ratio=1)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_row(
        progress_bar.ProgressBar(total=total_frames, completed=frames),
        text.Text.assemble(
            (figures.percent(frames / total_frames), "bold"),
            f"  {figures.short(frames)} of {figures.short(total_frames)} frames  ",
            (left, "bold"),
        ),
    )
    return grid


def _speed(row: Mapping[str, float]) -> rich_console.RenderableType:
    windows = telemetry_lib.RATE_WINDOWS
    rates = ", ".join(figures.count(row[f"frames_per_second/{w}s"]) for w in windows)
    grid = table.Table.grid(padding=(0, 1), expand=True)
    grid.add_column(ratio=1, style="dim")
    grid.add_column(justify="right", style="dim", no_wrap=True)
    grid.add_row(
        f"frames/s {rates} ({', '.join(map(str, windows))} s)",
        f"update {row['updates']:,}, {figures.duration(row['seconds'])}",
    )
    return grid


def _task_table(
    row: Mapping[str, float], tasks: Sequence[str], console: rich_console.Console
) -> rich_console.RenderableType:
    columns = [
        (heading, metric, show)
        for heading, metric, show in (
            ("return", "episode_return", figures.number),
            ("score", "normalised_score", figures.score),
            ("episodes", "episodes", figures.count),
            (figures.lambda_on(console), "kickstarting_weight", figures.number),
            ("CE", "cross_entropy", figures.number),
            ("KL", "kl_teacher_student", figures.number),
        )
        if any(f"{metric}/{task}" in row for task in tasks)
    ]
    grid = table.Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True
    )
    grid.add_column("task", ratio=1, no_wrap=True, overflow="ellipsis")
    for heading, _, _ in columns:
        grid.add_column(heading, justify="right", no_wrap=True)
    room = max(console.height - _LINES_WITHOUT_TASKS, _FEWEST_TASK_LINES)
    shown = tasks if len(tasks) <= room else tasks[: room - 1]
    for task in shown:
        cells = (show(row.get(f"{name}/{task}")) for _, name, show in columns)
        grid.add_row(text.Text(task), *cells)
    if len(shown) < len(tasks):
        more = f"... and {len(tasks) - len(shown)} more"
        grid.add_row(text.Text(more, style="dim"))
    return grid


def _named_facts(
    row: Mapping[str, float], score_window_frames: int
) -> list[tuple[str, str]]:
    """Returns (name, words) of what concerns all tasks, as far as it is known."""
    facts = _facts_of_the_ring(row)
    # Of one task they are its score, which stands beside it.
    if "median_capped_score" in row:
        mean, median = row["mean_capped_score"], row["median_capped_score"]
        words = (
            f"mean {figures.score(mean)}, median {figures.score(median)} (capped, over "
            f"{figures.short(score_window_frames)} frames)"
        )
        facts.insert(0, ("score", words))
    return facts


def _facts(facts: Sequence[tuple[str, str]]) -> rich_console.RenderableType:
    grid = table.Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for name, words in facts:
        style = "yellow" if name == "trouble" else ""
        grid.add_row(name, text.Text(words, style=style))
    return grid


def _facts_of_the_ring(row: Mapping[str, float]) -> list[tuple[str, str]]:
    policy = [
        f"{words} {show(row[name])}"
        for name, words, show in _POLICY
        if name in row and (name == "entropy" or row.get("teacher_coverage", 1))
    ]
    queue = []
    if "queue_size" in row:
        capacity = row.get("queue_capacity")
        of = f" of {capacity:,.0f}" if capacity is not None else ""
        queue.append(f"{row['queue_size']:,.0f}{of} unrolls")
    if "policy_lag" in row:
        queue.append(f"policy lag {figures.number(row['policy_lag'])} updates")
    troubles = [
        f"{show(row[name])} {words}" for name, words, show in _TROUBLES if row.get(name)
    ]
    if missing := unanswered.briefly(unanswered.of_teachers(row)):
        troubles.append(missing)
    named = (
        ("student", policy),
        ("actors wait", _waits(row, _ACTOR_WAITS)),
        ("learner waits", _waits(row, _LEARNER_WAITS)),
        ("queue", queue),
        ("trouble", troubles),
    )
    return [(name, ", ".join(words)) for name, words in named if words]


def _waits(row: Mapping[str, float], names: Sequence[tuple[str, str]]) -> list[str]:
    return [
        f"for {words} {figures.percent(row[name])}"
        for name, words in names
        if name in row
    ]


def _task_line(row: Mapping[str, float], task: str, lambda_: str) -> str:
    words = [figures.number(row[f"episode_return/{task}"])]
    for name, metric, show in (
        ("score", "normalised_score", figures.score),
        (lambda_, "kickstarting_weight", figures.number),
    ):
        value = row.get(f"{metric}/{task}")
        if value is not None:
            words.append(f"{name} {show(value)}")
    return ", ".join(words)
