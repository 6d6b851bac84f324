"""Each part of the ring alone: what does it once, and returns its agent steps."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.flatten_util
import numpy as np

from benchmarks.speed import costs
from kickstarting.acting import actor as actor_lib
from kickstarting.acting import policy as acting_lib
from kickstarting.acting import unroll_sender, unroll_store
from kickstarting.agent import trajectory as trajectory_lib
from kickstarting.agent.agent import Agent
from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from kickstarting.learning import update
from kickstarting.queue import example as trajectory_example
from kickstarting.ring import parts as ring_parts
from kickstarting.teaching import teachers

# What does a part once, and returns the agent steps that it did.
Step = Callable[[], int]

# Numbers, and calls, of cold_call.
_OTHER_DATA = 16_000_000
_COLD_CALLS = 100
_NO_WEIGHT = np.zeros(1, np.float32)


@contextlib.contextmanager
def environment(config: config_lib.Config) -> Iterator[Step]:
    """Steps the actor's environments with random actions, as the actor does."""
    settings = [
        base.TaskSettings(config.tasks[0], seed, config.action_repeat)
        for seed in range(config.environments_per_actor)
    ]
    batch = suites.make_batch(settings, actor_lib.NUM_SLOTS, config.unroll_length)
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
        yield step
    finally:
        batch.close()


@contextlib.contextmanager
def inference(config: config_lib.Config, spec: base.EnvironmentSpec) -> Iterator[Step]:
    """Acts for a batch of all environments."""
    count = config.environments_per_actor
    act = _acting(config, spec, count)

    def step() -> int:
        act()
        return count

    yield step


def cold_call(
    config: config_lib.Config, spec: base.EnvironmentSpec, batch_size: int
) -> float:
    """Returns the CPU milliseconds that acting takes more with nothing in the caches.

    Args:
      config: of the run.
      spec: of its environments.
      batch_size: that is acted for.
    """
    act = _acting(config, spec, batch_size)
    # Larger than any cache.
    other = np.ones(_OTHER_DATA)

    def median(cold: bool) -> float:
        found = []
        for _ in range(_COLD_CALLS):
            if cold:
                other.sum()
            start = time.process_time()
            act()
            found.append(time.process_time() - start)
        return float(np.median(found[costs.WARM_UP :]))

    return 1e3 * (median(cold=True) - median(cold=False))


def _acting(
    config: config_lib.Config, spec: base.EnvironmentSpec, count: int
) -> Callable[[], None]:
    """Returns what acts once for a batch of that many."""
    agent = Agent(spec, config.network)
    act = jax.jit(agent.step)
    params = agent.init_params(jax.random.key(0))
    state = agent.initial_state(count)
    observation = trajectory_lib.Observation(
        np.zeros((count, *spec.frame_shape), np.uint8),
        np.zeros((count, spec.instruction_length), np.int32),
        np.zeros(count, np.int32),
        np.zeros(count, np.float32),
    )
    first = np.zeros(count, bool)

    def once() -> None:
        jax.block_until_ready(act(params, observation, first, state))

    return once


@contextlib.contextmanager
def learner_update(
    config: config_lib.Config, spec: base.EnvironmentSpec
) -> Iterator[Step]:
    """Updates on one batch again and again, moved to the device each time."""
    learner = update.Update(Agent(spec, config.network), config)
    batch = _batch(config, spec)
    hyperparameters = trajectory_lib.Hyperparameters(
        np.float32(1e-4),
        np.float32(1e-3),
        np.float32(1e-7),
        np.zeros((len(config.tasks), config.max_teachers), np.float32),
        np.float32(config.loss.discount),
    )
    state = learner.replicate(learner.init(jax.random.key(0)))

    def step() -> int:
        nonlocal state
        state, metrics = learner(state, learner.shard(batch), hyperparameters)
        jax.block_until_ready(metrics)
        return config.batch_size * config.unroll_length

    yield step


@contextlib.contextmanager
def teacher(config: config_lib.Config, name: str) -> Iterator[Step]:
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

    yield step


@contextlib.contextmanager
def queue(config: config_lib.Config, spec: base.EnvironmentSpec) -> Iterator[Step]:
    """Writes unrolls into the queue and reads batches from it."""
    from kickstarting.queue import reverb_queue

    example = trajectory_example.example(config, spec)
    server = reverb_queue.server(2 * config.batch_size)
    client = reverb_queue.client(f"localhost:{server.port}")
    stopped = False
    writer = reverb_queue.UnrollWriter(client, lambda: stopped)
    batches = reverb_queue.batches(client, example, config.batch_size, lambda: stopped)

    def step() -> int:
        for _ in range(config.batch_size):
            writer.write(example)
        next(batches)
        return config.batch_size * config.unroll_length

    try:
        yield step
    finally:
        stopped = True
        writer.close()
        server.stop()


def acting(config: config_lib.Config, seconds: float) -> dict[str, float]:
    """Lets one actor act alone, at the pace of its environments; also its batch size.

    The learner gives parameters once, and unrolls go nowhere.
    """
    tasks, settings = ring_parts.environment_settings(config, 0, 0)
    environments = suites.make_batch(
        settings, actor_lib.NUM_SLOTS, config.unroll_length
    )
    agent = Agent(environments.spec, config.network)
    learner = _Learner(agent)
    actor = actor_lib.Actor(
        config,
        0,
        agent,
        environments,
        tasks,
        learner,
        lambda store, weight: _Sender(store),
    )
    stop = threading.Event()
    thread = threading.Thread(target=actor.run, args=(stop,), name="actor")
    thread.start()
    try:
        learner.wait_for_steps(config.environments_per_actor * config.unroll_length)
        begun, start, cpu = learner.steps, time.monotonic(), costs.cpu_seconds()
        time.sleep(seconds)
        steps = learner.steps - begun
        return {
            "cpu_ms_per_step": 1e3 * (costs.cpu_seconds() - cpu) / steps,
            "steps_per_second_alone": steps / (time.monotonic() - start),
            "batch_size": learner.batch_size,
        }
    finally:
        stop.set()
        thread.join()


class _Learner:
    """Gives an actor parameters once, and keeps what it reports."""

    def __init__(self, agent: Agent) -> None:
        params = agent.init_params(jax.random.key(0))
        self._flat = np.asarray(jax.flatten_util.ravel_pytree(params)[0])
        self.steps = 0.0
        self.batch_size = 0.0

    def parameters(self, held: int) -> Any:
        return None if held >= 0 else (0, self._flat, np.zeros((1, 1), np.float32))

    def report(
        self,
        source: str,
        counters: dict[str, float],
        gauges: dict[str, float],
        episodes: Any,
        doing: str,
    ) -> None:
        del source, episodes, doing
        self.steps = counters["agent_steps"]
        self.batch_size = gauges["acting_batch_size"]

    def wait_for_steps(self, count: int) -> None:
        while self.steps < count:
            time.sleep(0.1)


class _Sender(unroll_sender.UnrollSender):
    """Gives an unroll's slot back at once."""

    def __init__(self, store: unroll_store.UnrollStore) -> None:
        super().__init__(
            store, _NoWriter(), None, 0.0, lambda task: _NO_WEIGHT, OSError
        )


class _NoWriter:
    def write(self, trajectory: trajectory_lib.Trajectory) -> float:
        del trajectory
        return 0.0

    def close(self) -> None:
        pass


def parameters(
    config: config_lib.Config, spec: base.EnvironmentSpec, seconds: float
) -> dict[str, float]:
    """Returns the CPU milliseconds, both sides, of asking the learner for weights.

    Args:
      config: of the run.
      spec: of its environments.
      seconds: that each is measured.

    Returns:
      of a `poll` that learns of nothing new, and of a `pull` of other parameters.
    """
    import courier

    agent = Agent(spec, config.network)
    flat = np.asarray(
        jax.flatten_util.ravel_pytree(agent.init_params(jax.random.key(0)))[0]
    )
    policy = acting_lib.Policy(
        agent, 0, config.environments_per_actor, jax.local_devices()[0]
    )
    server = courier.Server()
    server.Bind("parameters", lambda held: flat if held < 0 else None)
    server.Start()
    client = courier.Client(server.address)

    def poll() -> int:
        client.parameters(0)
        return 1

    def pull() -> int:
        policy.set_parameters(client.parameters(-1))
        jax.block_until_ready(policy.params)
        return 1

    try:
        return {
            "poll": costs.cost(poll, seconds)["cpu_ms_per_step"],
            "pull": costs.cost(pull, seconds)["cpu_ms_per_step"],
        }
    finally:
        server.Stop()


def _batch(
    config: config_lib.Config, spec: base.EnvironmentSpec
) -> trajectory_lib.Trajectory:
    random = np.random.default_rng(0)
    example = trajectory_example.example(config, spec)
    batch = jax.tree.map(lambda x: np.stack([x] * config.batch_size), example)
    pixels = random.integers(0, 256, batch.observation.pixels.shape, np.uint8)
    return batch._replace(observation=batch.observation._replace(pixels=pixels))
