r"""Shows how a run is that goes on, has ended, or goes on elsewhere.

  python -m launch.status runs/doom_defend_the_center_seed1

Reads its folder alone. Exit status: 0 where all is well, 1 where a node or the run
is away, 2 where there is no run.
"""

import dataclasses
import json
import math

from absl import flags
from rich import box
from rich import console as rich_console
from rich import table as rich_table
from rich import text as rich_text

from kickstarting.config import run as config_lib
from kickstarting.reporting import figures
from launch.computing import devices
from launch.flags import command_line
from launch.monitoring import node_reports
from launch.processes import run_health

_JSON = flags.DEFINE_bool("json", False, "Print JSON instead of tables.")

# What is said of each state, and how.
_STATES = {
    run_health.STARTING: ("starting", "green"),
    node_reports.COMPILING: ("running: compiling, until its first update", "green"),
    node_reports.TRAINING: ("running: training", "green"),
    run_health.EVALUATING: ("running: evaluating what it has come to", "green"),
    run_health.ENDED: ("ended: finished", "green"),
    run_health.STOPPED: ("stopped", "red"),
    run_health.AWAY: ("its learner is away", "red"),
}
# Below it the next checkpoints may find no room.
_LITTLE_ROOM = 2 * 2**30


def main(argv: list[str]) -> int:
    """Shows the runs that are named; returns the exit status."""
    if len(argv) < 2:
        raise config_lib.ConfigError("name the folder of a run, e.g. runs/my_run")
    runs = [run for logdir in argv[1:] for run in run_health.read(logdir)]
    if _JSON.value:
        described = [dataclasses.asdict(run) for run in runs]
        print(json.dumps(_finite(described), indent=1))
    else:
        console = rich_console.Console()
        for run in runs:
            _show(console, run)
    return 0 if all(run.is_well for run in runs) else 1


def _show(console: rich_console.Console, run: run_health.RunHealth) -> None:
    row = run.row
    state, style = _STATES.get(run.state, (run.state, "green"))
    console.print(rich_text.Text.assemble((run.logdir, "bold"), " ", (state, style)))
    facts = rich_table.Table.grid(padding=(0, 2))
    frames = row.get("frames", 0.0)
    facts.add_row(
        "frames",
        f"{frames:,.0f} of {run.total_frames:,} ({frames / run.total_frames:.0%})",
    )
    if run.is_running and not run.is_finished:
        rate = row.get("frames_per_second/60s", math.nan)
        left = figures.duration(row.get("seconds_left", math.nan))
        speed = "-" if math.isnan(rate) else f"{rate:,.0f} frames/s, {left} left"
        facts.add_row("speed", speed)
    if "policy_lag" in row:
        facts.add_row("policy lag", f"{row['policy_lag']:.1f} updates")
    if "queue_size" in row:
        facts.add_row(
            "queue", f"{row['queue_size']:.0f} of {row['queue_capacity']:.0f} unrolls"
        )
    facts.add_row("skipped updates", f"{row.get('skipped_updates', 0.0):.0f}")
    if run.devices:
        facts.add_row("devices", devices.text(run.devices))
    facts.add_row("checkpoint", _checkpoint(run))
    facts.add_row("disk", _disk(run.free_bytes))
    console.print(facts)
    if run.nodes:
        console.print(_nodes(run))


def _checkpoint(run: run_health.RunHealth) -> rich_text.Text:
    if run.checkpoint_frames < 0:
        return rich_text.Text("none yet", "yellow")
    age = figures.duration(run.checkpoint_age)
    return rich_text.Text(f"at {run.checkpoint_frames:,} frames, {age} ago")


def _disk(free_bytes: int) -> rich_text.Text:
    style = "red" if free_bytes < _LITTLE_ROOM else ""
    return rich_text.Text(f"{free_bytes / 2**30:,.1f} GB free", style)


def _nodes(run: run_health.RunHealth) -> rich_table.Table:
    table = rich_table.Table(
        "node", "heard of", "restarts", "the last since it", box=box.SIMPLE_HEAD
    )
    for node in run.nodes:
        silence = "-"
        if not math.isnan(node.silence):
            silence = f"{figures.duration(node.silence)} ago"
        is_away = run.is_running and not run.is_finished and not node.is_well
        table.add_row(
            node.node,
            rich_text.Text(silence, "red" if is_away else ""),
            str(node.restarts),
            rich_text.Text(node.reason),
        )
    return table


def _finite(value: object) -> object:
    """Returns JSON's null in the place of each NaN, for which JSON has no word."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


if __name__ == "__main__":
    command_line.run(main, names=True)
