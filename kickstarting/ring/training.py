"""The whole ring in one process.

 environments → actor ──unroll──▶ teacher server ──logits──▶ queue ──▶ learner
                  ▲───────────────────────params────────────────────────┘

The parts are those of a Launchpad program, as threads of this process, and so are the
checks before it, the files that it leaves and the way that it goes on from them. What
is left out is what needs processes: populations, several hosts, another life for a part
that failed, a metrics server.

Who waits for whom:
  actor    its environments; the first parameters; a free slot, which the sender gives
  sender   a teacher's answer, until a deadline; room in the queue
  learner  a batch in the queue
All of them look every fraction of a second whether the ring stops.
"""

import contextlib
import dataclasses
import functools
import os
import threading
from collections.abc import Iterator
from typing import NamedTuple

import jax
from absl import logging
from rich import console as rich_console

from kickstarting.acting import evaluator, kept_episodes, policy
from kickstarting.agent.agent import Agent
from kickstarting.agent.trajectory import Params
from kickstarting.config import run as config_lib
from kickstarting.environments import base
from kickstarting.learning.learner import Learner
from kickstarting.queue import memory_queue
from kickstarting.reporting import episode_progress, live_view, telemetry_text
from kickstarting.reporting.run_files import RunFiles
from kickstarting.reporting.telemetry import Telemetry
from kickstarting.ring import (
    checks,
    evaluations,
    machine,
    parts,
    resumption,
    threads,
)
from kickstarting.scores import normalised as scores
from kickstarting.storage import folder_lock
from kickstarting.teaching import measurement
from kickstarting.teaching.local import LocalReplica
from kickstarting.teaching.replicas import RemoteTeacher
from kickstarting.teaching.returns import TeacherReturns
from kickstarting.teaching.server import TeacherServer

_REPORT_SECONDS = 1.0
# Apart from the seeds of training's own episodes, as that of a program's report.
_EVALUATION_SEED = 1000


class Trained(NamedTuple):
    """What a run has come to.

    Attributes:
      agent: the student, which holds no parameters.
      params: its parameters, as `agent.step` takes them.
      frames: environment frames that it has learned from.
      logdir: the run's folder.
      scores: of its evaluation, by task; empty where it was stopped before its end, or
        config.evaluation_episodes is 0; without a task that could not be played.
    """

    agent: Agent
    params: Params
    frames: int
    logdir: str
    scores: dict[str, scores.Summary]


def train(config: config_lib.Config, stop: threading.Event | None = None) -> Trained:
    """Trains a student, kickstarted by the configuration's teachers, in this process.

    It goes on from the newest checkpoint in config.logdir, if there is one, and ends at
    config.total_frames. On Ctrl-C, or when any part fails, a last checkpoint is written
    first: called again with the same configuration, it goes on from there.

    The same seed gives the same run where config.lockstep is set and there is one
    actor.

    Args:
      config: of the run; see kickstarting.Config.
      stop: set from another thread, it ends the run early, with a last checkpoint; None
        where nobody does so.

    Returns:
      the student as it is now; Trained.frames says whether it got to the end.

    Raises:
      ConfigError, EnvironmentConfigError, TeacherError, CheckpointError, RunFilesError,
        FolderInUseError: the run cannot be done as it is configured; the message is one
        line.
      KeyboardInterrupt: on Ctrl-C.
      Exception: what a part failed with.
    """
    teacher_returns = _check(config)
    with (
        folder_lock.held(config.logdir, folder_lock.LEARNER),
        contextlib.closing(RunFiles(config.logdir)) as files,
    ):
        files.write_config(
            dataclasses.asdict(config),
            devices=[device.device_kind for device in jax.local_devices()],
        )
        ring_stop = threading.Event()
        unrolls = memory_queue.MemoryQueue(config.resolved_queue_size)
        telemetry, learner = parts.make_learner(
            config,
            lambda: memory_queue.batches(unrolls, config.batch_size, ring_stop.is_set),
            teacher_returns.assured(),
            files,
        )
        if learner.frames < config.total_frames:
            with _shown(config, telemetry):
                _run(config, learner, telemetry, unrolls, ring_stop, stop)
    agent = Agent(parts.environment_spec(config), config.network)
    published = learner.parameters(held=-1)
    assert published is not None
    params = policy.unraveller(agent)(published[1])
    trained = Trained(agent, params, learner.frames, config.logdir, {})
    if learner.frames < config.total_frames:
        return trained
    return trained._replace(scores=_evaluate(config, trained, stop))


def _check(config: config_lib.Config) -> TeacherReturns:
    """Finds what is wrong with a run before it begins; returns what λ is to follow."""
    for name, needs_program in (
        ("population.size", config.population.size > 1),
        ("metrics_port", config.metrics_port > 0),
    ):
        if needs_program:
            raise config_lib.ConfigError(
                f"{name} is of programs of many processes: leave it out, or run "
                "python -m launch.train"
            )
    machine.check(config)
    spec = checks.check_tasks(config)
    checks.check_devices(config, jax.local_device_count())
    teacher_returns = checks.check_teachers(config, spec)
    checks.check_student(config, spec)
    checks.check_folder(config)
    resumption.resumed_frames(config, spec)
    checks.tell_unused(spec)
    with _progress(config) as shown:
        return measurement.complete(config, teacher_returns, shown)


def _run(
    config: config_lib.Config,
    learner: Learner,
    telemetry: Telemetry,
    unrolls: memory_queue.MemoryQueue,
    stop: threading.Event,
    asked: threading.Event | None,
) -> None:
    """Runs the ring until the learner is done, or somebody stops it, or a part fails.

    Args:
      config: of the run.
      learner: which reads batches from `unrolls`.
      telemetry: the learner's.
      unrolls: the queue.
      stop: that of the ring.
      asked: the caller's.
    """
    with contextlib.ExitStack() as stack:
        server = replica = None
        if config.asks_teachers:
            server = parts.make_teacher_server(config)
            replica = stack.enter_context(contextlib.closing(LocalReplica(server)))
        beside: dict[str, threads.Part] = {
            f"actor/{index}": parts.make_actor(
                config,
                index,
                learner.restored_frames,
                learner,
                memory_queue.UnrollWriter(unrolls, stop.is_set),
                RemoteTeacher([replica]) if replica else None,
            ).run
            for index in range(config.num_actors)
        }
        beside["report"] = functools.partial(
            _report, config, learner, telemetry, unrolls, server
        )
        if server is not None:
            beside["teacher/0"] = server.run
        if config.evaluation_episodes and config.evaluation_minutes:
            beside["evaluator/0"] = functools.partial(
                evaluations.keep_up_while_they_can, config
            )
        try:
            threads.run_together(
                functools.partial(_learn, config, learner), beside, stop, asked
            )
        finally:
            # In compiled code when the interpreter ends, it would take it down.
            learner.wait_for_reader(threading.Event())


def _learn(config: config_lib.Config, learner: Learner, stop: threading.Event) -> None:
    # The environments start meanwhile.
    parts.compile_update(config)
    learner.run(stop)


def _report(
    config: config_lib.Config,
    learner: Learner,
    telemetry: Telemetry,
    unrolls: memory_queue.MemoryQueue,
    server: TeacherServer | None,
    stop: threading.Event,
) -> None:
    """Reports queue and teachers, and frees the teachers whose λ is 0 for good."""
    capacity = float(config.resolved_queue_size)
    while not stop.wait(_REPORT_SECONDS):
        size = float(memory_queue.size(unrolls))
        telemetry.report(
            "queue/0",
            counters={},
            gauges={"queue_size": size, "queue_capacity": capacity},
        )
        if server is not None:
            telemetry.report(
                "teacher/0", counters=server.counters(), gauges=server.gauges()
            )
            server.drop_unneeded(learner.lambda_is_zero_for_good())


@contextlib.contextmanager
def _shown(config: config_lib.Config, telemetry: Telemetry) -> Iterator[None]:
    """Shows the run as it goes, where that is wanted."""
    if not config.show:
        yield
        return
    status = telemetry_text.TelemetryText(
        lambda: telemetry,
        ", ".join(config.tasks),
        "its evaluation comes next" if config.evaluation_episodes else "",
    )
    view = live_view.LiveView(status)
    view.start()
    try:
        yield
    finally:
        view.stop()


def _evaluate(
    config: config_lib.Config, trained: Trained, stop: threading.Event | None
) -> dict[str, scores.Summary]:
    """Plays config.evaluation_episodes of each task; nothing where it is stopped."""
    if not config.evaluation_episodes:
        return {}
    seed = config.seed + _EVALUATION_SEED
    identity = kept_episodes.identity(
        trained.params,
        seed=seed,
        greedy=False,
        action_repeat=config.action_repeat,
        max_agent_steps=evaluator.MAX_AGENT_STEPS,
        held_out=True,
    )
    path = os.path.join(config.logdir, f"scores{kept_episodes.SUFFIX}")
    found = {}
    with (
        _progress(config) as shown,
        contextlib.closing(
            kept_episodes.KeptEpisodes(path, identity, shown.say)
        ) as kept,
    ):
        for number, task in enumerate(config.tasks, start=1):
            try:
                episodes = evaluator.evaluate(
                    task,
                    evaluator.AgentPlayer(
                        trained.agent, trained.params, seed, greedy=False
                    ),
                    num_episodes=config.evaluation_episodes,
                    seed=seed,
                    action_repeat=config.action_repeat,
                    lab=config.lab,
                    deadline_seconds=config.environment_deadline_seconds,
                    earlier=kept.of(task),
                    keep=functools.partial(kept.keep, task),
                    should_stop=stop.is_set if stop is not None else lambda: False,
                    watch=shown.begin(
                        f"evaluating {task}",
                        number,
                        len(config.tasks),
                        config.evaluation_episodes,
                    ),
                    say=shown.say,
                )
            except base.EnvironmentConfigError as error:
                # What was learned, and what other tasks give, is not to go with it.
                logging.error("%s could not be evaluated: %s", task, error)
                continue
            if len(episodes.returns) < config.evaluation_episodes:
                return {}
            found[task] = scores.summarise(episodes.returns.tolist())
            shown.end(f"mean return {found[task].mean:.6g}")
        if len(found) == len(config.tasks):
            kept.remove()
    return found


def _progress(config: config_lib.Config) -> episode_progress.EpisodeProgress:
    """Shows episodes that are played, where that is wanted."""
    if config.show:
        return episode_progress.EpisodeProgress()
    return episode_progress.EpisodeProgress(
        rich_console.Console(quiet=True), say=logging.warning
    )
