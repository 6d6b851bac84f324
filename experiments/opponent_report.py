"""Our from-scratch agent beside sample-factory at equal environment frames, as JSON.

  python -m experiments.opponent_report --task=doom:defend_the_center \
      --ours=runs/defend_the_center --sample_factory=runs/sample_factory --seeds=1

For each seed the mean raw return of training episodes in equal bins of frames. Ours
is from the rolling return in metrics.csv, sample-factory's the mean of its episodes.
"""

import csv
import glob
import json
import os

import numpy as np
from absl import flags

from kickstarting.config import run as config_lib
from kickstarting.reporting import run_files
from launch.flags import command_line, counts

_TASK = flags.DEFINE_string("task", "doom:defend_the_center", "The level.")
_OURS = flags.DEFINE_list("ours", [], "Folders of our runs, one a seed.")
_SAMPLE_FACTORY = flags.DEFINE_string(
    "sample_factory", None, "The --out of experiments.sample_factory_opponent."
)
_SEEDS = flags.DEFINE_list("seeds", ["1"], "Seeds of sample-factory's runs.")
_FRAMES = counts.define("frames", 2_000_000, "Frames that are compared.")
_BINS = flags.DEFINE_integer("bins", 8, "Bins of equal width.")


def main(argv: list[str]) -> int:
    """Prints the comparison; returns 0."""
    del argv
    if not _OURS.value or not _SAMPLE_FACTORY.value:
        raise config_lib.ConfigError("--ours and --sample_factory are needed")
    edges = np.linspace(0, _FRAMES.value, _BINS.value + 1)
    report = {
        "task": _TASK.value,
        "bin_ends_in_frames": edges[1:].tolist(),
        "ours": {
            path: binned(*our_returns(path, _TASK.value), edges) for path in _OURS.value
        },
        "sample_factory": {
            seed: binned(
                *sample_factory_returns(_SAMPLE_FACTORY.value, _TASK.value, seed), edges
            )
            for seed in _SEEDS.value
        },
    }
    print(json.dumps(report, indent=1))
    return 0


def our_returns(logdir: str, task: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns frames and rolling mean returns, float64 [n], of one of our runs."""
    metrics = run_files.read_metrics(logdir)
    returns = metrics[f"episode_return/{task}"]
    known = ~np.isnan(returns)
    return metrics[run_files.FRAMES][known], returns[known]


def sample_factory_returns(
    out: str, task: str, seed: str
) -> tuple[np.ndarray, np.ndarray]:
    """Returns frames and episode returns, float64 [n], of one of the opponent's runs.

    Raises:
      config_lib.ConfigError: there is no such run.
    """
    folder = os.path.join(out, f"{task.replace(':', '_')}_seed{seed}")
    rows: list[list[float]] = []
    for path in glob.glob(os.path.join(folder, "episodes_*.csv")):
        with open(path, newline="") as file:
            rows.extend([float(cell) for cell in row] for row in csv.reader(file))
    if not rows:
        raise config_lib.ConfigError(f"{folder} holds no episodes of sample-factory")
    table = np.array(sorted(rows))
    return table[:, 0], table[:, 2]


def binned(
    frames: np.ndarray, returns: np.ndarray, edges: np.ndarray
) -> list[float | None]:
    """Returns the mean return in each bin of frames; None where a bin is empty.

    Args:
      frames: float [n].
      returns: float [n].
      edges: float [bins + 1], rising.
    """
    bins = np.digitize(frames, edges[1:-1])
    return [
        round(float(returns[bins == i].mean()), 3) if (bins == i).any() else None
        for i in range(len(edges) - 1)
    ]


if __name__ == "__main__":
    command_line.run(main)
