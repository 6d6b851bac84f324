"""The learner's update on an accelerator: alone, and in the learner that feeds it."""

import contextlib
import tempfile
import threading
import time
from typing import Any

import jax
import numpy as np

from benchmarks.devices import common
from kickstarting.agent import trajectory as trajectory_lib
from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config_lib
from kickstarting.learning.learner import Learner
from kickstarting.learning.update import Update
from kickstarting.queue import memory_queue
from kickstarting.queue.stopped import QueueStopped
from kickstarting.reporting.run_files import RunFiles
from kickstarting.reporting.telemetry import Telemetry
from kickstarting.storage.checkpoints import Checkpoints


class _ClockedUpdate(Update):
    """An update that remembers when its calls began, and stops a run in time.

    Attributes:
      begun: seconds of the clock at each call since `stop_after`.
    """

    def __init__(self, agent: Agent, config: config_lib.Config) -> None:
        super().__init__(agent, config)
        self.begun: list[float] = []
        self._seconds = float("inf")
        self._stop = threading.Event()

    def stop_after(self, seconds: float, stop: threading.Event) -> None:
        """Forgets the calls so far; sets `stop` once the next took so long."""
        self.begun, self._seconds, self._stop = [], seconds, stop

    def __call__(
        self, state: Any, batch: Any, hyperparameters: Any, held_values: Any = None
    ) -> Any:
        self.begun.append(time.monotonic())
        enough = len(self.begun) >= common.WARM_UP + common.FEWEST
        if enough and self.begun[-1] - self.begun[common.WARM_UP] > self._seconds:
            self._stop.set()
        return super().__call__(state, batch, hyperparameters, held_values)


def updates(
    network: agent_config.NetworkConfig,
    batch_size: int,
    unroll_length: int,
    seconds: float,
) -> dict[str, float]:
    """Measures the learner's update: alone on a batch that lies there, and when fed.

    Args:
      network: the student's.
      batch_size: unrolls in an update, over all devices.
      unroll_length: T.
      seconds: about how long each of the two is measured.

    Returns:
      `first_update_seconds` (with tracing and compilation), updates and environment
      frames a second of the update alone, and of the learner that reads unrolls from
      the queue in memory, moves them, updates, publishes and records (`learner_...`);
      `device_waits_share`: the share of the learner's time in which the device does no
      update, at least: where an update is short, it waits within the first of the two
      as well.
    """
    with tempfile.TemporaryDirectory() as logdir:
        config = common.configuration(network, batch_size, unroll_length, logdir)
        update = _ClockedUpdate(Agent(common.SPEC, network), config)
        unroll = common.random_unroll(config)
        first_seconds, alone = _alone_seconds(config, update, unroll, seconds)
        fed = _fed_seconds(config, update, unroll, seconds)
    frames = config.frames_per_batch
    return {
        "first_update_seconds": first_seconds,
        "updates_per_second": 1 / alone,
        "frames_per_second": frames / alone,
        "learner_updates_per_second": 1 / fed,
        "learner_frames_per_second": frames / fed,
        "device_waits_share": max(1 - alone / fed, 0.0),
    }


def _alone_seconds(
    config: config_lib.Config,
    update: Update,
    unroll: trajectory_lib.Trajectory,
    seconds: float,
) -> tuple[float, float]:
    """Returns the seconds of the first update, and of one on a batch on the device."""
    state = update.replicate(update.init(jax.random.key(0)))
    stacked = jax.tree.map(lambda x: np.stack([x] * config.batch_size), unroll)
    batch = update.shard(stacked)
    hyperparameters = trajectory_lib.Hyperparameters(
        np.float32(1e-4),
        np.float32(1e-2),
        np.float32(1e-7),
        np.ones((1, 1), np.float32),
        np.float32(config.loss.discount),
    )

    def step() -> Any:
        nonlocal state
        state, metrics = update(state, batch, hyperparameters)
        return metrics

    return common.timed(step, 1), common.timed(step, common.calls(step, seconds))


def _fed_seconds(
    config: config_lib.Config,
    update: _ClockedUpdate,
    unroll: trajectory_lib.Trajectory,
    seconds: float,
) -> float:
    """Returns the seconds of an update of the learner, fed as fast as it can be."""
    stop = threading.Event()
    queue = memory_queue.MemoryQueue(config.resolved_queue_size)
    writer = memory_queue.UnrollWriter(queue, stop.is_set)

    def write() -> None:
        with contextlib.suppress(QueueStopped):
            while not stop.is_set():
                writer.write(unroll)

    run_files = RunFiles(config.logdir)
    learner = Learner(
        config,
        update,
        lambda: memory_queue.batches(queue, config.batch_size, stop.is_set),
        Checkpoints(config.logdir, 1),
        {},
        Telemetry(config.tasks, [None], config.total_frames),
        run_files,
        np.full((1, 1), np.nan, np.float32),
        np.zeros(1, np.float32),
    )
    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    update.stop_after(seconds, stop)
    try:
        learner.run(stop)
    finally:
        stop.set()
        thread.join()
        learner.wait_for_reader(threading.Event())
        run_files.close()
    begun = update.begun[common.WARM_UP :]
    return (begun[-1] - begun[0]) / (len(begun) - 1)
