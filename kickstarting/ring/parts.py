"""The parts of a ring, each made from the run's configuration.

Whoever wires them, a program of many processes or `training` in one, gives each part
the others that it talks to.
"""

from collections.abc import Callable, Iterator

import numpy as np

from kickstarting.acting.actor import NUM_SLOTS, Actor, LearnerClient
from kickstarting.acting.guides import Guide
from kickstarting.acting.policy import inference_device
from kickstarting.acting.unroll_sender import TeacherClient, UnrollSender, Writer
from kickstarting.agent.agent import Agent
from kickstarting.agent.trajectory import Trajectory
from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from kickstarting.learning import update
from kickstarting.learning.learner import Learner
from kickstarting.queue import example
from kickstarting.queue.stopped import QueueStopped
from kickstarting.reporting.run_files import RunFiles
from kickstarting.reporting.telemetry import Telemetry
from kickstarting.ring import resumption
from kickstarting.teaching import initialisation, teachers
from kickstarting.teaching.server import TeacherServer


def environment_spec(config: config_lib.Config) -> base.EnvironmentSpec:
    """Returns what the run's student sees and does, the same in all of its tasks."""
    return suites.environment_spec(
        *(config.tasks[0], config.action_repeat, config.lab.action_set),
        config.environment_deadline_seconds,
    )


def make_learner(
    config: config_lib.Config,
    batches: Callable[[], Iterator[Trajectory]],
    teacher_returns: np.ndarray,
    run_files: RunFiles,
    sources_go_on: bool = False,
) -> tuple[Telemetry, Learner]:
    """Makes the learner, which goes on from the newest checkpoint, and its telemetry.

    Args:
      config: of the run.
      batches: opens the stream of batches; see Learner.
      teacher_returns: float32 [num_tasks, K], TeacherReturns.assured().
      run_files: of the run.
      sources_go_on: see Telemetry.

    Raises:
      checkpoints.CheckpointError: the newest checkpoint is of another run.
      config_lib.ConfigError: the batch cannot be split over the devices.
    """
    spec = environment_spec(config)
    agent = Agent(spec, config.network)
    references = [suites.reference_score(task) for task in config.tasks]
    telemetry = Telemetry(
        config.tasks,
        references,
        config.total_frames,
        score_window_frames=config.resolved_score_window_frames,
        sources_go_on=sources_go_on,
    )
    return telemetry, Learner(
        config,
        update.shared(agent, config),
        batches,
        resumption.store(config),
        resumption.metadata(config, spec),
        telemetry,
        run_files,
        teacher_returns,
        np.array([r.random if r else 0.0 for r in references], np.float32),
        initialisation.initial_params(config, agent),
    )


def compile_update(config: config_lib.Config) -> None:
    """Compiles what make_learner's learner does with a batch, before there is one.

    Args:
      config: of the run.
    """
    spec = environment_spec(config)
    update.shared(Agent(spec, config.network), config).warm_up(
        example.example(config, spec)
    )


def make_actor(
    config: config_lib.Config,
    index: int,
    resumed_frames: int,
    learner: LearnerClient,
    writer: Writer,
    teacher: TeacherClient | None,
) -> Actor:
    """Makes one actor with its environments, which are not started yet.

    Args:
      config: of the run.
      index: of the actor.
      resumed_frames: see environment_settings.
      learner: where parameters come from.
      writer: of the queue.
      teacher: labels unrolls; None where the run has no teachers.

    Raises:
      base.EnvironmentConfigError: a task cannot be made.
    """
    tasks, settings = environment_settings(config, index, resumed_frames)
    environments = suites.make_batch(
        settings, NUM_SLOTS, config.unroll_length, inference_device(config)
    )
    return Actor(
        config,
        index,
        Agent(environments.spec, config.network),
        environments,
        tasks,
        learner,
        lambda store, weight: UnrollSender(
            store,
            writer,
            teacher,
            config.kickstarting.deadline_seconds,
            weight,
            QueueStopped,
        ),
        make_guide(config, tasks, environments.spec.num_actions),
    )


def make_teacher_server(config: config_lib.Config) -> TeacherServer:
    """Makes a server of all the run's teachers, which answers once it runs.

    Raises:
      cards.TeacherError: a teacher cannot be loaded, or has no values where they are
        wanted.
    """
    return TeacherServer(
        config.teachers_of_task,
        config.max_teachers,
        inference_device(config),
        config.tasks if config.asks_teacher_values else None,
        config.kickstarting.deadline_seconds,
    )


def environment_settings(
    config: config_lib.Config, actor: int, resumed_frames: int
) -> tuple[np.ndarray, list[base.TaskSettings]]:
    """Deals the tasks to one actor's environments in turn.

    Args:
      config: of the run.
      actor: index of the actor.
      resumed_frames: where the run goes on, so that it does not see the same episodes
        again.

    Returns:
      task indices int32 [E] and settings, one for each environment.
    """
    count = config.environments_per_actor
    environments = np.arange(actor * count, (actor + 1) * count)
    tasks = (environments % len(config.tasks)).astype(np.int32)
    settings = []
    for environment, task in zip(environments, tasks, strict=True):
        entropy = [config.seed, int(environment), resumed_frames]
        seed = int(np.random.SeedSequence(entropy).generate_state(1)[0] // 2)
        settings.append(
            base.TaskSettings(
                config.tasks[task],
                seed,
                config.action_repeat,
                bootstrap_time_limit=config.bootstrap_time_limit,
                lab=config.lab,
                deadline_seconds=config.environment_deadline_seconds,
            )
        )
    return tasks, settings


def make_guide(
    config: config_lib.Config, tasks: np.ndarray, num_actions: int
) -> Guide | None:
    """Returns the guide of the run's acting teachers; None where none acts.

    Args:
      config: of the run.
      tasks: int32 [E], task index of each of the actor's environments.
      num_actions: A.
    """
    if not config.teacher_use.acts:
        return None
    first = [next(iter(names), None) for names in config.teachers_of_task]
    acting = [first[task] for task in tasks]
    loaded = {
        name: teachers.load(name, inference_device(config))
        for name in dict.fromkeys(acting)
        if name is not None
    }
    return Guide(config.kickstarting, num_actions, loaded, acting)
