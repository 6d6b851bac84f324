"""Batches of scripted environments in workers, and how tests step them."""

import time
from collections.abc import Sequence

import numpy as np

from kickstarting.environments import base
from kickstarting.environments.stepping import workers
from tests.environments import scripted

DEADLINE = 40.0
SCRIPTED = "tests.environments.scripted:make"


def scripted_batch(*scripts: dict, unroll_length: int = 3) -> workers.WorkerBatch:
    settings = [
        base.TaskSettings(scripted.task(**script), seed)
        for seed, script in enumerate(scripts)
    ]
    return workers.WorkerBatch(settings, scripted.SPEC, 2, unroll_length, SCRIPTED)


def wait_for(batch: workers.WorkerBatch, indices: Sequence[int]) -> None:
    """Waits until each of `indices`, and nothing else, has been reported once."""
    reported: list[int] = []
    deadline = time.monotonic() + DEADLINE
    while len(reported) < len(indices):
        assert time.monotonic() < deadline, f"only {reported} of {indices} came"
        reported.extend(batch.wait(1.0).tolist())
    assert sorted(reported) == sorted(indices), (reported, indices)


def step(
    batch: workers.WorkerBatch,
    indices: Sequence[int],
    action: int = 1,
    slot: int = 0,
    position: int = 1,
) -> None:
    array = np.array(indices, np.int32)
    batch.step(
        array,
        np.full_like(array, action),
        np.full_like(array, slot),
        np.full_like(array, position),
    )
