"""The cost of each part of the ring alone, in CPU seconds of an agent step."""

import time
from collections.abc import Callable

import jax
import numpy as np
import psutil

from kickstarting import config as config_lib
from kickstarting import teachers, trajectory_example, types, update
from kickstarting.actor import NUM_SLOTS
from kickstarting.agent import Agent
from kickstarting.environments import base, suites

_WARM_UP = 3


def cpu_seconds() -> float:
    """Returns the CPU seconds of this process and its living descendants."""
    total = 0.0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def _cost(step: Callable[[], int], seconds: float) -> dict[str, float]:
    """Calls `step`, which returns agent steps done, for some seconds."""
    for _ in range(_WARM_UP):
        step()
    start, cpu, steps = time.monotonic(), cpu_seconds(), 0
    while time.monotonic() - start < seconds:
        steps += step()
    wall = time.monotonic() - start
    return {
        "cpu_ms_per_step": 1e3 * (cpu_seconds() - cpu) / steps,
        "steps_per_second_alone": steps / wall,
    }


def environment(config: config_lib.Config, seconds: float) -> dict[str, float]:
    """Steps the actor's environments with random actions, as the actor does."""
    settings = [
        base.TaskSettings(config.tasks[0], seed, config.action_repeat)
        for seed in range(config.environments_per_actor)
    ]
    batch = suites.make_batch(settings, NUM_SLOTS, config.unroll_length)
    random = np.random.default_rng(0)
    zeros = np.zeros(config.environments_per_actor, np.int32)

    def step() -> int:
        ready = batch.wait(1.0)
        actions = random.integers(batch.spec.num_actions, size=len(ready))
        at = zeros[: len(ready)]
        batch.step(ready, actions.astype(np.int32), at, at)
        return len(ready)

    try:
        batch.start()
        started = 0
        while started < config.environments_per_actor:
            ready = batch.wait(1.0)
            started += len(ready)
            at = zeros[: len(ready)]
            batch.step(ready, at, at, at)
        return _cost(step, seconds)
    finally:
        batch.close()


def inference(
    config: config_lib.Config, spec: base.EnvironmentSpec, seconds: float
) -> dict[str, float]:
    """Acts for a batch of all environments."""
    agent = Agent(spec, config.network)
    count = config.environments_per_actor
    act = jax.jit(agent.step)
    params = agent.init_params(jax.random.key(0))
    state = agent.initial_state(count)
    observation = types.Observation(
        np.zeros((count, *spec.frame_shape), np.uint8),
        np.zeros((count, spec.instruction_length), np.int32),
        np.zeros(count, np.int32),
        np.zeros(count, np.float32),
    )
    first = np.zeros(count, bool)

    def step() -> int:
        jax.block_until_ready(act(params, observation, first, state))
        return count

    return _cost(step, seconds)


def learner_update(
    config: config_lib.Config, spec: base.EnvironmentSpec, seconds: float
) -> dict[str, float]:
    """Updates on one batch again and again, moved to the device each time."""
    learner = update.Update(Agent(spec, config.network), config)
    batch = _batch(config, spec)
    hyperparameters = types.Hyperparameters(
        np.float32(1e-4),
        np.float32(1e-3),
        np.float32(1e-7),
        np.zeros((len(config.tasks), config.max_teachers), np.float32),
    )
    state = learner.replicate(learner.init(jax.random.key(0)))

    def step() -> int:
        nonlocal state
        state, metrics = learner(state, learner.shard(batch), hyperparameters)
        jax.block_until_ready(metrics)
        return config.batch_size * config.unroll_length

    return _cost(step, seconds)


def teacher(config: config_lib.Config, name: str, seconds: float) -> dict[str, float]:
    """Labels unrolls in batches of four, as they come in."""
    spec = suites.environment_spec(config.tasks[0], config.action_repeat)
    loaded = teachers.load(name)
    unrolls = 4
    batch = jax.tree.map(lambda x: x[:unrolls], _batch(config, spec))
    observation = jax.tree.map(lambda x: x[:, :-1], batch.observation)
    state = loaded.initial_state(unrolls)

    def step() -> int:
        loaded.label(observation, batch.first[:, :-1], state)
        return unrolls * config.unroll_length

    return _cost(step, seconds)


def queue(
    config: config_lib.Config, spec: base.EnvironmentSpec, seconds: float
) -> dict[str, float]:
    """Writes unrolls into the queue and reads batches from it."""
    import reverb

    from kickstarting import trajectory_queue

    example = trajectory_example.example(config, spec)
    server = reverb.Server([trajectory_queue.table(example, 2 * config.batch_size)])
    client = reverb.Client(f"localhost:{server.port}")
    stopped = False
    writer = trajectory_queue.UnrollWriter(client, lambda: stopped)
    batches = trajectory_queue.batches(
        client, example, config.batch_size, lambda: stopped
    )

    def step() -> int:
        for _ in range(config.batch_size):
            writer.write(example)
        next(batches)
        return config.batch_size * config.unroll_length

    try:
        return _cost(step, seconds)
    finally:
        stopped = True
        writer.close()
        server.stop()


def poll(seconds: float) -> float:
    """Returns the CPU milliseconds of a call without news, both sides."""
    import courier

    server = courier.Server()
    server.Bind("parameters", lambda held: None)
    server.Start()
    client = courier.Client(server.address)

    def step() -> int:
        client.parameters(0)
        return 1

    try:
        return _cost(step, seconds)["cpu_ms_per_step"]
    finally:
        server.Stop()


def _batch(config: config_lib.Config, spec: base.EnvironmentSpec) -> types.Trajectory:
    random = np.random.default_rng(0)
    example = trajectory_example.example(config, spec)
    batch = jax.tree.map(lambda x: np.stack([x] * config.batch_size), example)
    pixels = random.integers(0, 256, batch.observation.pixels.shape, np.uint8)
    return batch._replace(observation=batch.observation._replace(pixels=pixels))
