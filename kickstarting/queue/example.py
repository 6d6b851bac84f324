"""The shape of one unroll, for whoever must know it before there is one."""

import numpy as np

from kickstarting.agent import trajectory
from kickstarting.config import run as config_lib
from kickstarting.environments import base


def example(
    config: config_lib.Config, spec: base.EnvironmentSpec
) -> trajectory.Trajectory:
    """Returns one unbatched unroll of zeros in the shapes and dtypes of the contract.

    All of its actions are available.

    Args:
      config: gives T, K and the core's size.
      spec: gives frame, instruction and action set.
    """
    steps, teachers = config.unroll_length, config.max_teachers
    valued = teachers if config.asks_teacher_values else 0
    core = np.zeros(config.network.core_size, np.float32)
    return trajectory.Trajectory(
        observation=trajectory.Observation(
            pixels=np.zeros((steps + 1, *spec.frame_shape), np.uint8),
            instruction=np.zeros((steps + 1, spec.instruction_length), np.int32),
            last_action=np.zeros(steps + 1, np.int32),
            last_reward=np.zeros(steps + 1, np.float32),
        ),
        action=np.zeros(steps, np.int32),
        reward=np.zeros(steps, np.float32),
        discount=np.zeros(steps, np.float32),
        first=np.zeros(steps + 1, bool),
        available_actions=np.ones((steps + 1, spec.num_actions), bool),
        behaviour_logits=np.zeros((steps, spec.num_actions), np.float32),
        teacher_logits=np.zeros((teachers, steps, spec.num_actions), np.float32),
        teacher_mask=np.zeros((teachers, steps), np.float32),
        teacher_values=np.zeros((valued, steps), np.float32),
        core_state=trajectory.CoreState(core, core),
        task=np.int32(0),
        actor=np.int32(0),
        params_version=np.int32(0),
    )
