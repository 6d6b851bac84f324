"""The child's side of WorkerBatch: one environment in a process of its own.

Forked by fork_server.py; its order is the first message on its connection.
DeepMind Lab never releases the GIL and ViZDoom's engine may crash: a process each
keeps both from the others. The worker ends when its parent closes the socket or dies.
"""

import contextlib
import dataclasses
import importlib
import json
import os
import random
import socket
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kickstarting.environments import base, notices
from kickstarting.environments.stepping import batch, guardian, shared_memory

BEGUN = b"p"
READY = b"."
FAILED = b"!"
DYING = b"x"
NOTICE = b"i"
STEP = b"s"
MAX_MESSAGE_BYTES = 4096
_MAX_ORDER_BYTES = 2**18
# Of an observation in the memory: environment, slot, position.
_SLOT_AXES = 3

Factory = Callable[[base.TaskSettings], base.SpecifiedEnvironment]


@dataclasses.dataclass(frozen=True)
class Order:
    """What a worker is told at its start.

    Attributes:
      settings: of its environment.
      factory: 'module:function', called with the settings.
      layout: of the shared memory.
      index: the worker's row in it.
    """

    settings: base.TaskSettings
    factory: str
    layout: shared_memory.Layout
    index: int

    def to_json(self) -> str:
        """Returns the order as one line."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Order":
        """Returns the order that `to_json` wrote."""
        fields = json.loads(text)
        layout = fields["layout"]
        layout["frame_shape"] = tuple(layout["frame_shape"])
        return cls(
            **{
                **fields,
                "settings": base.TaskSettings.from_fields(fields["settings"]),
                "layout": shared_memory.Layout(**layout),
            }
        )


class Outcome(NamedTuple):
    """One step as batch.EnvironmentBatch reports it; see there for each field."""

    observation: dict
    available_actions: np.ndarray
    reward: float
    discount: float
    first: bool
    ended: bool
    episode_return: float
    episode_steps: int


class EpisodeStepper:
    """Steps an environment from episode to episode.

    After a termination the outcome already holds the next episode's first observation;
    after a truncation it holds the last one, and the next step resets
    (agent/trajectory.py says why). One that waits at ends does so after either.
    """

    def __init__(
        self,
        environment: base.SpecifiedEnvironment,
        bootstrap_time_limit: bool = True,
        waits_at_ends: bool = False,
    ) -> None:
        """Steps nothing yet.

        Args:
          environment: which is stepped.
          bootstrap_time_limit: see base.TaskSettings.
          waits_at_ends: see base.TaskSettings.
        """
        self._environment = environment
        self._bootstrap_time_limit = bootstrap_time_limit
        self._waits_at_ends = waits_at_ends
        self._is_over = False
        self._return = 0.0
        self._steps = 0

    def reset(self) -> Outcome:
        """Opens an episode."""
        self._is_over = False
        self._return, self._steps = 0.0, 0
        timestep = self._environment.reset()
        return Outcome(
            observation=timestep.observation,
            available_actions=self._environment.available_actions,
            reward=0.0,
            discount=1.0,
            first=True,
            ended=False,
            episode_return=0.0,
            episode_steps=0,
        )

    def step(self, action: int) -> Outcome:
        """Steps once; ignores the action where an end is only crossed.

        Args:
          action: or batch.OPEN_EPISODE.

        Raises:
          ValueError: the reward is no number, or none that float32 holds.
        """
        if self._is_over or action == batch.OPEN_EPISODE:
            return self.reset()
        timestep = self._environment.step(action)
        reward = base.checked_reward(timestep.reward)
        self._return += reward
        self._steps += 1
        outcome = Outcome(
            observation=timestep.observation,
            available_actions=self._environment.available_actions,
            reward=reward,
            discount=1.0,
            first=False,
            ended=timestep.last(),
            episode_return=self._return,
            episode_steps=self._steps,
        )
        if not timestep.last():
            return outcome
        if timestep.discount > 0 and self._bootstrap_time_limit:
            self._is_over = True
            return outcome
        if self._waits_at_ends:
            self._is_over = True
            return outcome._replace(discount=0.0)
        opening = self.reset()
        return outcome._replace(
            observation=opening.observation,
            available_actions=opening.available_actions,
            discount=0.0,
            first=True,
        )


def main(connection: socket.socket, descriptor: int) -> None:
    """Makes the environment and serves it until the parent is gone.

    Args:
      connection: to the parent (SOCK_SEQPACKET). The engine must not inherit it: the
        parent sees the worker's death by its closing.
      descriptor: of the shared memory.
    """
    process = os.getpid()
    try:
        connection.send(BEGUN + f"{process} {guardian.began(process)}".encode())
        order = Order.from_json(connection.recv(_MAX_ORDER_BYTES).decode())
    except (BrokenPipeError, ConnectionResetError):
        # The parent may have sought this process in vain: it must end by itself.
        return
    memory = shared_memory.SharedMemory(order.layout, descriptor)
    os.close(descriptor)
    notices.hand_to(lambda text: _tell(connection, NOTICE, text))
    try:
        environment = _make_environment(order)
    except base.EnvironmentConfigError as error:
        _tell(connection, FAILED, error)
        return
    except Exception as error:
        _tell(connection, DYING, error)
        raise
    try:
        stepper = EpisodeStepper(
            environment,
            order.settings.bootstrap_time_limit,
            order.settings.waits_at_ends,
        )
        _serve(stepper, connection, memory, order.index)
    except (BrokenPipeError, ConnectionResetError):
        pass
    except Exception as error:
        _tell(connection, DYING, error)
        raise
    finally:
        environment.close()


def _tell(connection: socket.socket, what: bytes, said: Exception | str) -> None:
    reason = " ".join(str(said).split()) or type(said).__name__
    # The parent may be gone.
    with contextlib.suppress(OSError):
        connection.send(what + reason.encode()[: MAX_MESSAGE_BYTES - len(what)])


def _make_environment(order: Order) -> base.SpecifiedEnvironment:
    # What draws from the process's own generators, as some environments do.
    random.seed(order.settings.seed)
    np.random.seed(order.settings.seed % 2**32)
    module, _, function = order.factory.partition(":")
    factory: Factory = getattr(importlib.import_module(module), function)
    environment = factory(order.settings)
    spec, layout = environment.spec, order.layout
    if (spec.frame_shape, spec.instruction_length) != (
        layout.frame_shape,
        layout.instruction_length,
    ):
        environment.close()
        raise base.EnvironmentConfigError(
            f"{order.settings.task} observes {spec.frame_shape} with "
            f"{spec.instruction_length} words, but its batch was made for "
            f"{layout.frame_shape} with {layout.instruction_length}"
        )
    return environment


def _serve(
    stepper: EpisodeStepper,
    connection: socket.socket,
    memory: shared_memory.SharedMemory,
    index: int,
) -> None:
    outcome = stepper.reset()
    while True:
        _check(outcome, memory)
        where = index, memory.slot[index], memory.position[index]
        memory.pixels[where] = outcome.observation[base.PIXELS]
        memory.instruction[where] = outcome.observation[base.INSTRUCTION]
        memory.available_actions[where] = outcome.available_actions
        memory.reward[index] = outcome.reward
        memory.discount[index] = outcome.discount
        memory.first[index] = outcome.first
        memory.ended[index] = outcome.ended
        memory.episode_return[index] = outcome.episode_return
        memory.episode_steps[index] = outcome.episode_steps
        connection.send(READY)
        if not connection.recv(len(STEP)):
            return
        outcome = stepper.step(int(memory.action[index]))


def _check(outcome: Outcome, memory: shared_memory.SharedMemory) -> None:
    """Refuses what would teach nonsense, or be written as what it is not.

    Raises:
      ValueError: an array is not as the spec has it, or no action is available.
    """
    for name, given, place in (
        ("pixels", outcome.observation[base.PIXELS], memory.pixels),
        ("instruction", outcome.observation[base.INSTRUCTION], memory.instruction),
        ("available actions", outcome.available_actions, memory.available_actions),
    ):
        array = np.asarray(given)
        shape = place.shape[_SLOT_AXES:]
        if (array.shape, array.dtype) != (shape, place.dtype):
            raise ValueError(
                f"its {name} have shape {array.shape} and type {array.dtype}, but its "
                f"spec has {shape} and {place.dtype}"
            )
    if not np.any(outcome.available_actions):
        raise ValueError("it leaves no action open")
