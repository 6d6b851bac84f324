"""Acting with the newest parameters: the jitted step of a batch of environments."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from kickstarting.agent import masking, trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import run as config_lib


class Guidance(NamedTuple):
    """What teachers want to do, and how often they get their way.

    Attributes:
      logits: float32 [n, A] of the acting teachers.
      share: float32 [n] in [0, 1], the probability that the teacher acts.
    """

    logits: trajectory.Array
    share: trajectory.Array


class Policy:
    """The jitted acting step, for batches padded to a few sizes."""

    def __init__(
        self, agent: Agent, seed: int, num_environments: int, device: jax.Device
    ) -> None:
        """Compiles nothing yet.

        Args:
          agent: the student.
          seed: of the action sampling.
          num_environments: E, the largest batch.
          device: where to compute.
        """
        self._device = device
        self._sizes = sorted(
            {num_environments, -(-num_environments // 2), -(-num_environments // 4)}
        )
        self._key = jax.device_put(jax.random.key(seed), device)
        self._unravel = unraveller(agent)
        self._act = _act_program(agent)
        self.params: trajectory.Params = None

    def set_parameters(self, flat: np.ndarray) -> None:
        """Takes the learner's parameters, float32 [P]; another thread may be acting."""
        # Parameters that are committed to a device take the computation there.
        self.params = self._unravel(jax.device_put(flat, self._device))

    def act(
        self,
        observation: trajectory.Observation,
        first: np.ndarray,
        available_actions: np.ndarray,
        state: trajectory.CoreState,
        environments: np.ndarray,
        steps: np.ndarray,
        guidance: Guidance | None = None,
    ) -> tuple[np.ndarray, np.ndarray, trajectory.CoreState]:
        """Samples actions, from the student's policy or its mixture with teachers'.

        Args:
          observation: arrays [n, ...].
          first: bool [n].
          available_actions: bool [n, A]; the others have probability 0.
          state: float32 [n, C] twice.
          environments: int32 [n].
          steps: int32 [n], steps that each environment has acted so far.
          guidance: of teachers that act; None where the student acts alone.

        Returns:
          actions int32 [n], the logits float32 [n, A] that they were drawn from, the
          student's next CoreState [n, C].
        """
        n = len(environments)
        size = next(size for size in self._sizes if size >= n)
        arguments = (
            observation,
            first,
            available_actions,
            state,
            environments,
            steps,
            guidance,
        )
        if size > n:
            arguments = jax.tree.map(
                lambda x: np.pad(x, [(0, size - n)] + [(0, 0)] * (x.ndim - 1)),
                arguments,
            )
        outputs = jax.device_get(self._act(self.params, self._key, *arguments))
        return jax.tree.map(lambda x: x[:n], outputs)

    def warm_up(self, spec: Any, core_size: int, guided: bool = False) -> None:
        """Compiles every batch size before the first environment waits for it.

        Args:
          spec: of the environments.
          core_size: units of the recurrent core.
          guided: whether teachers may act.
        """
        for n in self._sizes:
            zeros = np.zeros(n, np.int32)
            observation = trajectory.Observation(
                pixels=np.zeros((n, *spec.frame_shape), np.uint8),
                instruction=np.zeros((n, spec.instruction_length), np.int32),
                last_action=zeros,
                last_reward=np.zeros(n, np.float32),
            )
            state = trajectory.CoreState(*(np.zeros((n, core_size), np.float32),) * 2)
            available_actions = np.ones((n, spec.num_actions), bool)
            arguments = (
                observation,
                np.ones(n, bool),
                available_actions,
                state,
                zeros,
                zeros,
            )
            self.act(*arguments)
            if guided:
                logits = np.zeros((n, spec.num_actions), np.float32)
                self.act(*arguments, Guidance(logits, np.ones(n, np.float32)))


@functools.cache
def _act_program(agent: Agent) -> Callable[..., Any]:
    """Returns the jitted acting step, one for all members of a population."""

    def act(
        params: trajectory.Params,
        key: jax.Array,
        observation: trajectory.Observation,
        first: jax.Array,
        available_actions: jax.Array,
        state: trajectory.CoreState,
        environments: jax.Array,
        steps: jax.Array,
        guidance: Guidance | None,
    ) -> tuple[jax.Array, jax.Array, trajectory.CoreState]:
        chex.assert_rank([first, environments, steps, *state], [1, 1, 1, 2, 2])
        output, state = agent.step(params, observation, first, state)
        chex.assert_equal_shape([output.logits, available_actions])
        logits = masking.mask_logits(output.logits, available_actions)
        if guidance is not None:
            advice = masking.mask_logits(guidance.logits, available_actions)
            logits = mix(logits, guidance._replace(logits=advice))
        return sample_actions(key, logits, environments, steps), logits, state

    return jax.jit(act)


def mix(student_logits: jax.Array, guidance: Guidance) -> jax.Array:
    """Returns the policy of a teacher that acts β of the time, and a student the rest.

    log(β π_T + (1 − β) π_S): to draw from it is to draw who acts, and then what.

    Args:
      student_logits: float32 [n, A].
      guidance: the teachers' logits [n, A] and β [n].

    Returns:
      log probabilities float32 [n, A]; the student's own logits where β is 0.
    """
    chex.assert_equal_shape([student_logits, guidance.logits])
    chex.assert_rank(guidance.share, 1)
    share = guidance.share[:, None]
    mixture = jnp.logaddexp(
        jnp.log(share) + jax.nn.log_softmax(guidance.logits),
        jnp.log1p(-share) + jax.nn.log_softmax(student_logits),
    )
    return jnp.where(share > 0, mixture, student_logits)


def sample_actions(
    key: jax.Array, logits: jax.Array, environments: jax.Array, steps: jax.Array
) -> jax.Array:
    """Samples an action for each environment.

    Every (environment, step) has random numbers of its own, so that an action does not
    depend on which environments happened to be ready together.

    Args:
      key: of the whole run.
      logits: float32 [n, A].
      environments: int32 [n].
      steps: int32 [n], steps that each environment has acted so far.

    Returns:
      int32 [n].
    """
    chex.assert_rank([logits, environments, steps], [2, 1, 1])
    keys = jax.vmap(lambda e, s: jax.random.fold_in(jax.random.fold_in(key, e), s))(
        environments, steps
    )
    return jax.vmap(jax.random.categorical)(keys, logits).astype(jnp.int32)


def inference_device(config: config_lib.Config) -> jax.Device:
    """Returns where actors and teachers compute: the CPU, or what the config says."""
    if config.inference_device == "cpu":
        return jax.local_devices(backend="cpu")[0]
    return jax.local_devices()[0]


@functools.cache
def unraveller(agent: Agent) -> Callable[[np.ndarray], trajectory.Params]:
    """Returns the jitted inverse of the learner's ravel_pytree."""
    shapes = jax.eval_shape(agent.init_params, jax.random.key(0))
    leaves, structure = jax.tree.flatten(shapes)
    ends = np.cumsum([leaf.size for leaf in leaves])

    def unravel(flat: jax.Array) -> trajectory.Params:
        parts = jnp.split(flat, ends[:-1])
        return jax.tree.unflatten(
            structure,
            [part.reshape(x.shape) for part, x in zip(parts, leaves, strict=True)],
        )

    return jax.jit(unravel)
