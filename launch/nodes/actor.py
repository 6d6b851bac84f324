"""The actor node: builds one actor from the config and runs it."""

import itertools
import threading
from collections.abc import Sequence
from concurrent import futures
from typing import Any

import launchpad as lp
import numpy as np
from absl import logging

from kickstarting.acting import unroll_sender
from kickstarting.acting.actor import NUM_SLOTS, Actor
from kickstarting.acting.guides import Guide
from kickstarting.acting.policy import inference_device
from kickstarting.agent.agent import Agent
from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from kickstarting.queue import reverb_queue
from kickstarting.teaching import replicas as remote_teacher
from kickstarting.teaching import teachers
from launch.processes import keeper, revival

_STOP_CHECK_SECONDS = 0.2
# Between calls to a learner that does not answer.
_RETRY_SECONDS = 0.5


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
                config.tasks[task], seed, config.action_repeat, lab=config.lab
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


class _Learner:
    """The learner's client; a call is given up when the program stops.

    The learner may then be gone, and Courier would wait for it to come back. While the
    program goes on another learner takes the place of one that is gone.
    """

    def __init__(self, client: Any, stop: threading.Event) -> None:
        self._client = client
        self._stop = stop

    def parameters(self, held: int) -> Any:
        """See Learner.parameters; None also where there is no answer."""
        future = self._client.futures.parameters(held)
        while not self._stop.is_set():
            try:
                return future.result(timeout=_STOP_CHECK_SECONDS)
            except futures.TimeoutError:
                continue
            except Exception as error:  # noqa: BLE001 - its own node tells of a failure
                if not self._stop.wait(_RETRY_SECONDS):
                    logging.warning("The learner does not answer: %r", error)
                return None
        return None

    def report(
        self,
        source: str,
        counters: dict[str, float],
        gauges: dict[str, float],
        episodes: Any,
    ) -> None:
        """See Learner.report."""
        self._client.report(source, counters, gauges, episodes)


def run(
    config: config_lib.Config,
    index: int,
    resumed_frames: int,
    learner: Any,
    queue: Any,
    teacher_servers: Sequence[Any],
) -> None:
    """Acts until the program stops, and again when acting fails.

    Args:
      config: of the run.
      index: of this actor.
      resumed_frames: frames of the checkpoint that the run goes on from, else 0.
      learner: Courier client.
      queue: Reverb client.
      teacher_servers: Courier clients, one a replica; empty without teachers.
    """
    stop = lp.stop_event()
    # Added to the seed: another life must not see the same episodes again.
    lives = itertools.count(resumed_frames + keeper.predecessors())

    def act() -> None:
        actor = _make_actor(
            config, index, next(lives), learner, queue, teacher_servers, stop
        )
        actor.run(stop)

    if revival.is_wanted(config):
        hopeless = (base.EnvironmentConfigError,)
        revival.keep_going(config.logdir, f"actor/{index}", act, stop, hopeless)
    else:
        act()


def _make_actor(
    config: config_lib.Config,
    index: int,
    seed: int,
    learner: Any,
    queue: Any,
    teacher_servers: Sequence[Any],
    stop: threading.Event,
) -> Actor:
    tasks, settings = environment_settings(config, index, seed)
    environments = suites.make_batch(settings, NUM_SLOTS, config.unroll_length)
    teacher = remote_teacher.RemoteTeacher(teacher_servers) if teacher_servers else None
    return Actor(
        config,
        index,
        Agent(environments.spec, config.network),
        environments,
        tasks,
        _Learner(learner, stop),
        lambda store, weight: unroll_sender.UnrollSender(
            store,
            reverb_queue.UnrollWriter(queue, stop.is_set),
            teacher,
            config.kickstarting.deadline_seconds,
            weight,
            reverb_queue.QueueStopped,
        ),
        make_guide(config, tasks, environments.spec.num_actions),
    )
