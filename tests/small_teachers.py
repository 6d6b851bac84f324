"""Small teachers for counting_environment, and unrolls for them to label."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.environments import base
from kickstarting.teaching import cards as teacher_cards
from kickstarting.teaching import files as teacher_files
from tests import counting_environment, small_ring

NETWORK = agent_config.NetworkConfig(core_size=8)
SPEC = counting_environment.SPEC
# Names that teachers.load takes.
ECHO = f"{__name__}:EchoTeacher"
STATELESS = f"{__name__}:StatelessTeacher"
BROKEN = f"{__name__}:BrokenTeacher"


class EchoTeacher:
    """Says how many steps it has seen of the episode; keeps a state of two leaves."""

    action_names = SPEC.action_names

    def __init__(self) -> None:
        self.batch_sizes: list[int] = []

    def initial_state(self, batch_size: int) -> Any:
        return {
            "steps": np.zeros(batch_size, np.int32),
            "calls": np.ones((batch_size, 2)),
        }

    def label(
        self, observation: trajectory.Observation, first: np.ndarray, state: Any
    ) -> tuple[np.ndarray, Any]:
        self.batch_sizes.append(len(first))
        steps, logits = state["steps"], np.zeros((*first.shape, 3), np.float32)
        for t in range(first.shape[1]):
            steps = np.where(first[:, t], 0, steps)
            logits[:, t, 1] = steps
            logits[:, t, 2] = observation.last_action[:, t]
            steps = steps + 1
        return logits, {"steps": steps, "calls": state["calls"] + 1}


class StatelessTeacher(EchoTeacher):
    """A state without leaves."""

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def label(self, observation, first, state):
        logits = np.zeros((*first.shape, 3), np.float32)
        if (observation.last_action == 99).any():
            raise RuntimeError("this teacher does not like 99")
        return logits, ()


class BrokenTeacher(EchoTeacher):
    """Says the same of each step, whatever that is.

    Attributes:
      logits: of one step.
    """

    def __init__(self) -> None:
        super().__init__()
        self.logits = np.zeros(3, np.float32)

    def label(self, observation, first, state):
        answer = np.broadcast_to(self.logits, (*first.shape, *self.logits.shape))
        return answer, state


def save(
    folder: str,
    seed: int = 0,
    network: agent_config.NetworkConfig = NETWORK,
    tasks: Sequence[str] = ("gym:counting",),
    value: teacher_cards.ValueMeaning | None = None,
    spec: base.EnvironmentSpec = SPEC,
) -> trajectory.Params:
    """Writes a teacher with random weights; returns them as they will be loaded."""
    agent = Agent(spec, network)
    params = small_ring.unravel(agent, small_ring.random_parameters(agent, seed))
    card = teacher_cards.TeacherCard(
        scores=tuple(
            teacher_cards.TaskScore(task, 1.0, 0.1, 3, None) for task in tasks
        ),
        action_names=spec.action_names,
        frame_shape=spec.frame_shape,
        instruction_length=spec.instruction_length,
        action_repeat=1,
        network=network,
        environment_frames=10,
        command="test",
        seed=seed,
        git_revision="none",
        value=value,
    )
    teacher_files.save_teacher(folder, params, card)
    return teacher_files.load_teacher(folder)[0]


def unrolls(count: int, length: int) -> trajectory.Trajectory:
    """Returns random unrolls [count, length (+ 1), ...] with many episodes' ends."""
    run = small_ring.small_config(unroll_length=length, batch_size=count)
    batch = small_ring.random_batch(run, SPEC, seed=1)
    first = np.random.default_rng(2).random((count, length + 1)) < 0.3
    return batch._replace(first=first)
