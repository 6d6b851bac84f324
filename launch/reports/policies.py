"""Loads what an entry point is asked to play: a run, a checkpoint, or a teacher."""

import os
from typing import Any, NamedTuple

import jax
from absl import logging

from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config_lib
from kickstarting.environments import base, suites
from kickstarting.environments.dmlab import actions as dmlab_actions
from kickstarting.loss import popart, running_moments
from kickstarting.storage import checkpoints
from kickstarting.teaching import cards as teacher_cards
from kickstarting.teaching import files as teacher_files


class Policy(NamedTuple):
    """An agent with parameters.

    Attributes:
      agent: the network.
      params: its parameters.
      spec: of the environments that it was made for.
      network: configuration of the network.
      tasks: that it was trained on.
      frames: environment frames that it was trained on.
      value_statistics: by which the network's values are normalised; None where that is
        not known.
    """

    agent: Agent
    params: trajectory.Params
    spec: base.EnvironmentSpec
    network: agent_config.NetworkConfig
    tasks: tuple[str, ...]
    frames: int
    value_statistics: popart.Statistics | None = None


def load(path: str) -> Policy:
    """Loads a policy.

    Args:
      path: a run's folder, one checkpoint, or a teacher's folder.

    Raises:
      checkpoints.CheckpointError: there is nothing sound to play.
      teacher_files.TeacherError: the teacher is not sound.
    """
    if os.path.isfile(os.path.join(path, teacher_files.CARD)):
        return _from_teacher(path)
    return _from_checkpoint(*checkpoints.load_tree(path))


def _from_teacher(folder: str) -> Policy:
    params, card = teacher_files.load_teacher(folder)
    agent = Agent(teacher_cards.spec_of(card), card.network)
    expected = jax.eval_shape(agent.init_params, jax.random.key(0))
    teacher_files.check_shapes(folder, params, expected)
    return Policy(
        agent,
        params,
        agent.spec,
        card.network,
        card.tasks,
        card.environment_frames,
    )


def _from_checkpoint(tree: dict[str, Any], metadata: dict[str, Any]) -> Policy:
    fields = metadata["spec"]
    spec = base.EnvironmentSpec(
        frame_shape=tuple(fields["frame_shape"]),
        instruction_length=fields["instruction_length"],
        action_names=tuple(fields["action_names"]),
        action_repeat=fields["action_repeat"],
    )
    network = agent_config.NetworkConfig(**metadata["network"])
    logging.info("Loaded a checkpoint at %s frames.", metadata["telemetry"]["frames"])
    return Policy(
        Agent(spec, network),
        tree[checkpoints.PARAMS],
        spec,
        network,
        tuple(metadata["tasks"]),
        int(metadata["telemetry"]["frames"]),
        _statistics(tree.get("value_statistics")),
    )


def _statistics(saved: dict[str, Any] | None) -> popart.Statistics | None:
    if saved is None:
        return None
    moments = running_moments.Moments(**saved["moments"])
    return popart.Statistics(moments, saved["scale"])


def check_fits(
    policy: Policy,
    task: str,
    deadline_seconds: float = config_lib.ENVIRONMENT_DEADLINE_SECONDS,
) -> None:
    """Refuses a task whose observations or actions the policy does not know.

    Args:
      policy: what is to play.
      task: `suite:level`.
      deadline_seconds: see base.TaskSettings.

    Raises:
      base.EnvironmentConfigError: the task is unknown.
      config_lib.ConfigError: it does not fit, in one line.
    """
    action_set = dmlab_actions.set_of(policy.spec.action_names)
    spec = suites.environment_spec(
        task, policy.spec.action_repeat, action_set, deadline_seconds
    )
    if spec != policy.spec:
        raise config_lib.ConfigError(
            f"{task} shows {spec.frame_shape} with actions {spec.action_names}, but "
            f"the policy knows {policy.spec.frame_shape} with "
            f"{policy.spec.action_names}"
        )
