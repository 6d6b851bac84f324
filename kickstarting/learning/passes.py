"""The batches of a learner's passes over a window, as it gathers one."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax

from kickstarting.agent import trajectory
from kickstarting.config import run as config_lib
from kickstarting.learning import window


class Batch(NamedTuple):
    """A batch of a pass over a window.

    Attributes:
      trajectory: on the devices.
      held_values: what the critic expected at the window's beginning; None where its
        newest values are used.
      new_frames: environment frames: those of an unroll count where it is learned from
        for the first time.
      ends_window: whether it is the window's last.
    """

    trajectory: trajectory.Trajectory
    held_values: jax.Array | None
    new_frames: int
    ends_window: bool


def of_window(
    config: config_lib.Config,
    frames: int,
    updates: int,
    take: Callable[[], trajectory.Trajectory | None],
    values: Callable[[trajectory.Trajectory], jax.Array | None],
) -> Iterator[Batch]:
    """Gathers one window and yields the batches of all passes over it.

    A run's last window has no more batches than total_frames leave, and as many passes.

    Args:
      config: of the run.
      frames: environment frames learned from before it.
      updates: done before it, which seed the shuffling.
      take: returns the next batch, on the devices; None ends the window.
      values: what the critic expects in a batch as it is taken; None where that is not
        held.
    """
    gathered: list[tuple[trajectory.Trajectory, jax.Array | None]] = []
    left = -(-(config.total_frames - frames) // config.frames_per_batch)
    for _ in range(min(config.window_batches, left)):
        batch = take()
        if batch is None:
            return
        gathered.append((batch, values(batch)))
    passes = window.batches(gathered, config.passes, (config.seed, updates))
    for number, (batch, held_values) in enumerate(passes):
        yield Batch(
            batch,
            held_values,
            config.frames_per_batch if number < len(gathered) else 0,
            number + 1 == len(gathered) * config.passes,
        )
