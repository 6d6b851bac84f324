"""The trajectory contract: what travels from environments to the learner.

Each tuple is used single, stacked over time and batched: the leading axes are given
where a function takes one. Step t of an unroll: the student saw observation[t], acted
action[t], got reward[t] and discount[t], and saw observation[t + 1], which is also
observation[0] of the next unroll. first[t] says that observation[t] opens an episode.

A terminated episode has discount[t] = 0 and first[t + 1] = True: its last frame is not
kept, nothing bootstraps from it. A truncated episode (time limit) keeps its last frame
as observation[t + 1] with discount[t] = 1, so that V-trace can bootstrap from it; the
step after it only crosses the boundary: the environment ignores its action and its
reward is 0. `is_crossing` marks those steps, and the loss leaves them out.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np

# A NumPy or a JAX array: the same tuples are used on both sides of the device.
Array = Any
Params = Any
# The part of them that is the linear layer of the values.
VALUE_HEAD = "value"


class CoreState(NamedTuple):
    """State of the recurrent core: cell and hidden, float32 [..., core size]."""

    cell: Array
    hidden: Array


class Observation(NamedTuple):
    """What the student sees.

    Attributes:
      pixels: uint8 [..., H, W, C]; never float before the device.
      instruction: int32 [..., L] hashed word ids, 0 = pad; L = 0 without language.
      last_action: int32 [...]; 0 where an episode opens.
      last_reward: float32 [...], raw; 0 where an episode opens.
    """

    pixels: Array
    instruction: Array
    last_action: Array
    last_reward: Array


class Trajectory(NamedTuple):
    """One unroll of T steps, or a batch of them.

    Attributes:
      observation: Observation with leading axis [T + 1].
      action: int32 [T].
      reward: float32 [T], raw.
      discount: float32 [T]; 0 at termination, 1 otherwise; γ belongs to the loss.
      first: bool [T + 1]; resets recurrent states.
      available_actions: bool [T + 1, A]; whether the environment offers an action at
        observation[t]. Others have probability 0, in acting and in the loss
        (agent/masking.py). It is no part of the observation: networks and teachers do
        not see it, and their logits are masked wherever a policy is made of them.
      behaviour_logits: float32 [T, A] of the policy that acted: the student's, or its
        mixture with a teacher's (acting/guides.py), over the available actions.
      teacher_logits: float32 [K, T, A]; K is the most teachers that one task has.
      teacher_mask: float32 [K, T]; 0 where no teacher answered.
      teacher_values: float32 [K, T], the teachers' values, not normalised; [0, T] where
        the run does not learn from them.
      core_state: the student's CoreState at t = 0.
      task: int32 [], index into the run's tasks.
      actor: int32 [].
      params_version: int32 [], learner updates behind the acting parameters.
    """

    observation: Observation
    action: Array
    reward: Array
    discount: Array
    first: Array
    available_actions: Array
    behaviour_logits: Array
    teacher_logits: Array
    teacher_mask: Array
    teacher_values: Array
    core_state: CoreState
    task: Array
    actor: Array
    params_version: Array


class AgentOutput(NamedTuple):
    """Policy logits float32 [..., A] and values float32 [..., V].

    V is 1, or the number of tasks where the critic has a value for each.
    """

    logits: Array
    value: Array


class Hyperparameters(NamedTuple):
    """Arguments of the compiled update: changing one never recompiles it.

    Attributes:
      learning_rate: float32 [].
      entropy_cost: float32 [].
      optimiser_epsilon: float32 [].
      kickstarting_weight: float32 [num_tasks, K], λ of each teacher of each task.
      discount: float32 [], γ.
    """

    learning_rate: Array
    entropy_cost: Array
    optimiser_epsilon: Array
    kickstarting_weight: Array
    discount: Array


class Teacher(Protocol):
    """A frozen policy that says what it would do. Any Python object may keep it.

    Attributes:
      action_names: the teacher's action set, in order; must equal the student's.
    """

    action_names: tuple[str, ...]

    def initial_state(self, batch_size: int) -> Any:
        """Returns a pytree of arrays [batch_size, ...], possibly with no leaves."""

    def label(
        self, observation: Observation, first: np.ndarray, state: Any
    ) -> tuple[np.ndarray, Any]:
        """Labels a slice of unrolls.

        Args:
          observation: arrays [B, T, ...].
          first: bool [B, T]; True resets the teacher's state before that step.
          state: the pytree of `initial_state`, [B, ...], as it was before step 0.

        Returns:
          logits float32 [B, T, A] and the state after step T - 1. A logit of −inf is a
          probability of 0; an unroll in which one is NaN or +inf goes without advice.
        """


def is_crossing(discount: Array, first: Array) -> Array:
    """Marks the steps that only cross a truncated episode's boundary.

    Args:
      discount: float32 [..., T].
      first: bool [..., T + 1].

    Returns:
      bool [..., T]: True where step t leads from a truncated episode's last observation
      to the next episode's first one.
    """
    return first[..., 1:] & (discount > 0)
