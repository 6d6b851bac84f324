"""What the measurements of an accelerator share: sizes, an unroll, a clock."""

import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from kickstarting.agent import trajectory as trajectory_lib
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config_lib
from kickstarting.environments import base
from kickstarting.queue import example

# DeepMind Lab's frames, IMPALA's nine actions.
SPEC = base.EnvironmentSpec((72, 96, 3), 0, tuple(f"action {i}" for i in range(9)), 4)
TASK = "dmlab:random"
# Calls of which the first are not counted.
WARM_UP = 2
FEWEST = 5


def configuration(
    network: agent_config.NetworkConfig,
    batch_size: int,
    unroll_length: int,
    logdir: str,
) -> config_lib.Config:
    """Returns an endless run with one teacher, whose advice counts all the time.

    Args:
      network: the student's.
      batch_size: unrolls in an update.
      unroll_length: T.
      logdir: the run's folder.
    """
    return config_lib.Config(
        tasks=(TASK,),
        logdir=logdir,
        total_frames=10**12,
        batch_size=batch_size,
        unroll_length=unroll_length,
        network=network,
        kickstarting=config_lib.KickstartingConfig(
            teachers=((TASK, "random"),), schedule="constant"
        ),
    )


def random_unroll(config: config_lib.Config) -> trajectory_lib.Trajectory:
    """Returns one unroll of noise, which a teacher has answered."""
    unroll = example.example(config, SPEC)
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, unroll.observation.pixels.shape, np.uint8)
    return unroll._replace(
        observation=unroll.observation._replace(pixels=pixels),
        discount=np.ones_like(unroll.discount),
        teacher_mask=np.ones_like(unroll.teacher_mask),
    )


def timed(call: Callable[[], Any], count: int) -> float:
    """Returns the seconds of one of `count` calls, until the device is done."""
    start = time.monotonic()
    result = None
    for _ in range(count):
        result = call()
    jax.block_until_ready(result)
    return (time.monotonic() - start) / count


def calls(call: Callable[[], Any], seconds: float) -> int:
    """Returns how often a call can be made in about so many seconds."""
    return max(int(seconds / max(timed(call, WARM_UP), 1e-6)), FEWEST)
