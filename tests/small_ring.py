"""Small rings of scripted environments: their configuration, parts and record."""

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.flatten_util
import numpy as np

from kickstarting.acting import actor, guides, unroll_sender
from kickstarting.agent import trajectory as trajectory_lib
from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config
from kickstarting.environments import base
from kickstarting.environments.stepping import batch as environment_batch
from kickstarting.learning import learner, update
from kickstarting.queue import example as trajectory_example
from kickstarting.queue import memory_queue
from kickstarting.queue.stopped import QueueStopped
from kickstarting.reporting import run_files, telemetry
from kickstarting.ring import threads
from kickstarting.storage import checkpoints
from kickstarting.teaching import server as teacher_server
from kickstarting.teaching.local import LocalReplica
from kickstarting.teaching.replicas import RemoteTeacher


def small_config(**fields: Any) -> config.Config:
    """Returns a configuration for counting_environment with a small network."""
    defaults: dict[str, Any] = {
        "tasks": ("test:counting",),
        "logdir": "unused",
        "environments_per_actor": 4,
        "unroll_length": 4,
        "batch_size": 4,
        "action_repeat": 1,
        "network": agent_config.NetworkConfig("small_grid", core_size=8),
    }
    return config.Config(**{**defaults, **fields})


def compile_quickly() -> None:
    """Lets XLA compile in less time to slower code, for tests that run little."""
    jax.config.update("jax_disable_most_optimizations", True)


def random_parameters(agent: Agent, seed: int = 0) -> np.ndarray:
    """Returns flat parameters float32 [P] whose policy is far from uniform."""
    shapes = jax.eval_shape(agent.init_params, jax.random.key(0))
    count = sum(int(np.prod(x.shape)) for x in jax.tree.leaves(shapes))
    random = np.random.default_rng(seed)
    return random.normal(scale=0.3, size=count).astype(np.float32)


def unravel(agent: Agent, flat: np.ndarray) -> trajectory_lib.Params:
    """Returns flat parameters as the agent takes them."""
    shapes = jax.eval_shape(agent.init_params, jax.random.key(0))
    leaves, structure = jax.tree.flatten(shapes)
    ends = np.cumsum([int(np.prod(x.shape)) for x in leaves])
    parts = np.split(flat, ends[:-1])
    return jax.tree.unflatten(
        structure,
        [part.reshape(x.shape) for part, x in zip(parts, leaves, strict=True)],
    )


def random_batch(
    run: config.Config, spec: base.EnvironmentSpec, seed: int
) -> trajectory_lib.Trajectory:
    """Returns a batch [B, ...] of random unrolls that hold to the contract."""
    random = np.random.default_rng(seed)
    shapes = trajectory_example.example(run, spec)

    def draw(like: np.ndarray) -> np.ndarray:
        shape = (run.batch_size, *np.shape(like))
        kind = np.asarray(like).dtype
        if kind == np.float32:
            return random.normal(size=shape).astype(np.float32)
        return random.integers(0, 2, shape).astype(kind)

    batch = jax.tree.map(draw, shapes)
    # What was done could be done.
    np.put_along_axis(
        batch.available_actions[:, :-1], batch.action[..., None], True, axis=-1
    )
    return batch._replace(
        discount=np.where(batch.first[:, 1:], 0, 1).astype(np.float32),
        teacher_mask=np.ones_like(batch.teacher_mask),
        task=np.zeros_like(batch.task),
        params_version=np.zeros_like(batch.params_version),
    )


class FixedLearner:
    """Answers an actor with parameters that stay as they are."""

    def __init__(self, flat: np.ndarray, weight: np.ndarray, version: int = 0) -> None:
        self.published = (version, flat, weight)
        self.reports: list[dict[str, float]] = []
        self.doing: list[str] = []
        self.gauges: set[str] = set()
        self.episodes: list[Any] = []

    def parameters(self, held: int) -> Any:
        """See actor.LearnerClient."""
        return self.published if self.published[0] != held else None

    def report(
        self,
        source: str,
        counters: dict[str, float],
        gauges: dict[str, float],
        episodes: Any,
        doing: str,
    ) -> None:
        """See actor.LearnerClient."""
        self.doing.append(doing)
        self.reports.append({"source": source, **counters, **gauges})
        self.gauges |= set(gauges)
        if episodes is not None:
            self.episodes.append(episodes)


def make_actor(
    run: config.Config,
    environments: environment_batch.EnvironmentBatch,
    learner: actor.LearnerClient,
    writer: unroll_sender.Writer,
    teacher: unroll_sender.TeacherClient | None = None,
    guide: guides.Guide | None = None,
) -> actor.Actor:
    """Returns the run's actor 0 over these environments, all of task 0."""
    return actor.Actor(
        run,
        0,
        Agent(environments.spec, run.network),
        environments,
        np.zeros(environments.num_environments, np.int32),
        learner,
        lambda store, weight: unroll_sender.UnrollSender(
            store,
            writer,
            teacher,
            run.kickstarting.deadline_seconds,
            weight,
            QueueStopped,
        ),
        guide,
    )


def act(
    run: config.Config,
    environments: environment_batch.EnvironmentBatch,
    learner: FixedLearner,
    *,
    until: Callable[[list[trajectory_lib.Trajectory]], bool],
    seconds: float = 60.0,
    guide: guides.Guide | None = None,
) -> tuple[actor.Actor, list[trajectory_lib.Trajectory]]:
    """Runs an actor until its unrolls suffice; returns it and them, oldest first."""
    stop, timeout = threading.Event(), threading.Event()
    unrolls_queue = memory_queue.MemoryQueue(run.resolved_queue_size)
    writer = memory_queue.UnrollWriter(unrolls_queue, stop.is_set)
    acting = make_actor(run, environments, learner, writer, guide=guide)
    unrolls: list[trajectory_lib.Trajectory] = []

    def read(stop: threading.Event) -> None:
        while not until(unrolls) and not stop.is_set():
            unrolls.extend(unrolls_queue.take(1, stop.is_set))

    timer = threading.Timer(seconds, timeout.set)
    timer.start()
    threads.run_together(read, {"actor/0": acting.run}, stop, timeout)
    timer.cancel()
    if not until(unrolls):
        raise AssertionError(f"only {len(unrolls)} unrolls in {seconds} seconds")
    return acting, unrolls


class Trained(NamedTuple):
    """What `train` gives.

    Attributes:
      parameters: float32 [P] after the last update.
      batches: of every update.
      metrics: of every update.
      snapshots: parameters float32 [P] by the number of updates before them.
    """

    parameters: np.ndarray
    batches: list[trajectory_lib.Trajectory]
    metrics: list[dict[str, float]]
    snapshots: dict[int, np.ndarray]


class _WatchedUpdate:
    """An update that runs of one kind share; remembers what passes through it."""

    def __init__(self, agent: Agent, run: config.Config, snapshots: set[int]) -> None:
        self._update = update.shared(agent, run)
        self.trained = Trained(np.zeros(0, np.float32), [], [], {})
        self._wanted = snapshots

    def __getattr__(self, name: str) -> Any:
        return getattr(self._update, name)

    def shard(self, batch: trajectory_lib.Trajectory) -> trajectory_lib.Trajectory:
        self.trained.batches.append(batch)
        return self._update.shard(batch)

    def __call__(self, state, batch, hyperparameters, held_values=None):
        state, metrics = self._update(state, batch, hyperparameters, held_values)
        trained = self.trained
        trained.metrics.append({name: float(x[0]) for name, x in metrics.items()})
        if len(trained.metrics) in self._wanted:
            trained.snapshots[len(trained.metrics)] = np.array(
                self.flat_parameters(state)
            )
        return state, metrics


def train(
    run: config.Config,
    environments: environment_batch.EnvironmentBatch,
    server: teacher_server.TeacherServer | None = None,
    snapshots: tuple[int, ...] = (),
    guide: guides.Guide | None = None,
    initial_params: dict[str, Any] | None = None,
) -> Trained:
    """Runs actor, teacher's client and learner in threads to the run's end.

    Args:
      run: of one task and one actor.
      environments: of the actor; they are closed.
      server: of the run's teachers, already running.
      snapshots: numbers of updates after which the parameters are kept.
      guide: of the teachers that act.
      initial_params: see Learner.
    """
    agent = Agent(environments.spec, run.network)
    watched = _WatchedUpdate(agent, run, set(snapshots))
    stop = threading.Event()
    unrolls = memory_queue.MemoryQueue(run.resolved_queue_size)
    files = run_files.RunFiles(run.logdir)
    learning = learner.Learner(
        run,
        watched,
        lambda: memory_queue.batches(unrolls, run.batch_size, stop.is_set),
        checkpoints.Checkpoints(run.logdir, 1),
        {},
        telemetry.Telemetry(run.tasks, [None], run.total_frames),
        files,
        np.full((1, run.max_teachers), np.nan, np.float32),
        np.zeros(1, np.float32),
        initial_params,
    )
    remote = RemoteTeacher([LocalReplica(server)]) if server else None
    writer = memory_queue.UnrollWriter(unrolls, stop.is_set)
    acting = make_actor(run, environments, learning, writer, remote, guide)
    try:
        threads.run_together(learning.run, {"actor/0": acting.run}, stop)
    finally:
        learning.wait_for_reader(threading.Event())
        files.close()
    return watched.trained._replace(parameters=learning.parameters(-1)[1])
