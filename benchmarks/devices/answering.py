"""Acting and labelling on an accelerator."""

import contextlib
import itertools
import pathlib
import shutil
import tempfile
import threading
import time
from typing import Any

import jax
import jax.flatten_util
import numpy as np

from benchmarks.devices import common
from kickstarting.acting.policy import Policy
from kickstarting.agent import trajectory as trajectory_lib
from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.teaching import cards, files, teachers
from kickstarting.teaching.server import TeacherServer

# Unrolls that wait for the teachers at once, as of so many environments.
_CALLERS = 64
_PATIENCE_SECONDS = 60.0


def inference(
    network: agent_config.NetworkConfig, batch_size: int, seconds: float
) -> dict[str, float]:
    """Measures acting: observations go to the device, actions come back.

    Args:
      network: the student's.
      batch_size: environments that act at once.
      seconds: about how long.

    Returns:
      `first_call_seconds` (with compilation), `milliseconds` a call, and agent
      `steps_per_second`.
    """
    agent = Agent(common.SPEC, network)
    policy = Policy(agent, 0, batch_size, jax.local_devices()[0])
    params = jax.jit(agent.init_params)(jax.random.key(0))
    flat, _ = jax.flatten_util.ravel_pytree(params)
    policy.set_parameters(np.asarray(flat))
    random = np.random.default_rng(0)
    zeros = np.zeros(batch_size, np.int32)
    observation = trajectory_lib.Observation(
        random.integers(0, 256, (batch_size, *common.SPEC.frame_shape), np.uint8),
        np.zeros((batch_size, 0), np.int32),
        zeros,
        np.zeros(batch_size, np.float32),
    )
    state = trajectory_lib.CoreState(
        *(np.zeros((batch_size, network.core_size), np.float32),) * 2
    )
    everyone = np.arange(batch_size, dtype=np.int32)
    first = np.zeros(batch_size, bool)
    available_actions = np.ones((batch_size, common.SPEC.num_actions), bool)

    def act() -> Any:
        return policy.act(observation, first, available_actions, state, everyone, zeros)

    first_seconds = common.timed(act, 1)
    call = common.timed(act, common.calls(act, seconds))
    return {
        "first_call_seconds": first_seconds,
        "milliseconds": 1e3 * call,
        "steps_per_second": batch_size / call,
    }


def labels(
    network: agent_config.NetworkConfig,
    num_teachers: int,
    unroll_length: int,
    seconds: float,
) -> dict[str, float]:
    """Measures the teacher server, asked about unrolls of all its teachers' tasks.

    Args:
      network: the teachers'.
      num_teachers: each of a task of its own.
      unroll_length: T.
      seconds: how long.

    Returns:
      `labels_per_second` (one for each step), and the mean `unrolls_per_batch`.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        names = _save_teachers(folder, network, num_teachers)
        device = jax.local_devices()[0]
        server = TeacherServer([[name] for name in names], 1, device)
        unroll = common.random_unroll(
            common.configuration(network, 1, unroll_length, folder)
        )
        _compile_batches(names[0], device, unroll)
        stop = threading.Event()
        callers = itertools.count()
        answered = [0] * _CALLERS

        def ask() -> None:
            caller = next(callers)
            seen, states = jax.tree.map(lambda x: x[:-1], unroll.observation), None
            while not stop.is_set():
                _, mask, states, _ = server.label(
                    caller % num_teachers,
                    np.ones(1, bool),
                    seen.pixels,
                    seen.instruction,
                    seen.last_action,
                    seen.last_reward,
                    unroll.first[:-1],
                    states,
                )
                answered[caller] += int(mask.sum())

        threads = [threading.Thread(target=server.run, args=(stop,), daemon=True)]
        threads += [threading.Thread(target=ask, daemon=True) for _ in range(_CALLERS)]
        for thread in threads:
            stack.callback(thread.join)
            thread.start()
        stack.callback(stop.set)
        start, before = time.monotonic(), sum(answered)
        # However short that is, some have to be answered.
        while time.monotonic() < start + seconds or sum(answered) == before:
            if time.monotonic() > start + seconds + _PATIENCE_SECONDS:
                raise RuntimeError("no teacher answered")
            time.sleep(0.01)
        done = sum(answered) - before
        return {
            "labels_per_second": done / (time.monotonic() - start),
            "unrolls_per_batch": server.gauges()["teacher_batch_size"],
        }


def _save_teachers(
    folder: str, network: agent_config.NetworkConfig, count: int
) -> list[str]:
    """Writes teachers with random weights, all the same; returns their folders."""
    agent = Agent(common.SPEC, network)
    card = cards.TeacherCard(
        scores=(cards.TaskScore(common.TASK, 0.0, 0.0, 1, None),),
        action_names=common.SPEC.action_names,
        frame_shape=common.SPEC.frame_shape,
        instruction_length=0,
        action_repeat=common.SPEC.action_repeat,
        network=network,
        environment_frames=0,
        command="python -m benchmarks.accelerator",
        seed=0,
        git_revision="",
    )
    names = [str(pathlib.Path(folder, f"teacher_{i}")) for i in range(count)]
    params = jax.device_get(jax.jit(agent.init_params)(jax.random.key(0)))
    files.save_teacher(names[0], params, card)
    for name in names[1:]:
        shutil.copytree(names[0], name)
    return names


def _compile_batches(
    name: str, device: jax.Device, unroll: trajectory_lib.Trajectory
) -> None:
    """Lets a teacher, with which all others share it, compile every size of batch."""
    teacher = teachers.load(name, device)
    observation = jax.tree.map(lambda x: x[:-1], unroll.observation)
    for size in teachers.BATCH_SIZES:
        stacked, first = jax.tree.map(
            lambda x, size=size: np.stack([x] * size), (observation, unroll.first[:-1])
        )
        teacher.label(stacked, first, teacher.initial_state(size))
