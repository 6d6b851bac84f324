"""The compiled update: gradients of the loss over all local devices, one step.

Hyperparameters are arguments, so that schedules and evolution recompile nothing. The
loss is a sum over time and batch, so gradients are summed over devices: one device and
many give the same step. A step to something that is not finite is not taken.
"""

import dataclasses
import functools
import threading
from typing import Any, NamedTuple

import chex
import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np

from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import run as config_lib
from kickstarting.config.agent import OptimiserConfig
from kickstarting.learning import annealing, placement
from kickstarting.loss import optimisers, popart, running_moments, vtrace

_SHARING = threading.Lock()


class LearnerState(NamedTuple):
    """What an update changes.

    Attributes:
      params: of the network.
      optimiser_state: of its optimiser.
      value_statistics: by which the critic's values are normalised.
      advantage_moments: by which advantages are normalised.
      updates: done so far, int32 [].
    """

    params: trajectory.Params
    optimiser_state: Any
    value_statistics: popart.Statistics
    advantage_moments: running_moments.Moments
    updates: jax.Array


def shared(agent: Agent, config: config_lib.Config) -> "Update":
    """Returns the update of a run, one for all members of a population.

    A run that goes on for longer in the same process has the same one, too.

    Args:
      agent: the student.
      config: of a member, as the run began: what evolves is an argument of the update.

    Raises:
      config_lib.ConfigError: the batch cannot be split over the devices.
    """
    # Members begin at once: without the lock each would make one.
    with _SHARING:
        return _shared(agent, _compiled_of(config))


def _ravel_first(params: Any) -> jax.Array:
    """Returns arrays [1, ...] as one, [P]."""
    return jax.flatten_util.ravel_pytree(jax.tree.map(lambda x: x[0], params))[0]


# Compiled at once, for operation by operation it takes seconds, and in a fifth of the
# time that it would take to compile code that is fast: it runs once.
@functools.partial(
    jax.jit,
    static_argnums=(0, 1, 2, 3),
    compiler_options={"xla_backend_optimization_level": 0},
)
def _initial(
    agent: Agent,
    optimiser: OptimiserConfig,
    num_values: int,
    at_the_mean: bool,
    key: jax.Array,
) -> LearnerState:
    """Returns what a run begins with."""
    params = agent.init_params(key)
    if at_the_mean:
        params = popart.at_the_mean(params)
    return LearnerState(
        params,
        optimisers.init(optimiser, params),
        popart.initial(num_values),
        running_moments.initial(num_values),
        jnp.zeros((), jnp.int32),
    )


class Update:
    """The pmapped update of one agent under one configuration."""

    def __init__(
        self,
        agent: Agent,
        config: config_lib.Config,
        devices: list[jax.Device] | None = None,
    ) -> None:
        """Compiles nothing yet.

        Args:
          agent: the student.
          config: of the run; its batch size must divide by the number of devices.
          devices: local devices to use; all of them by default.

        Raises:
          config_lib.ConfigError: the batch cannot be split over the devices.
        """
        self.devices = devices or jax.local_devices()
        if config.batch_size % len(self.devices):
            raise config_lib.ConfigError(
                f"batch_size ({config.batch_size}) cannot be split over the "
                f"{len(self.devices)} devices of this machine: choose a multiple"
            )
        self._agent = agent
        self._config = config
        self._placement = placement.of_pmap(self.devices)
        # pmap does not tell how often it compiled in every version of JAX.
        self._traces = 0
        self._update = jax.pmap(
            self._update_shard,
            axis_name=placement.AXIS,
            in_axes=(0, 0, None, 0),
            donate_argnums=(0,),
            devices=self.devices,
        )
        self._values = jax.pmap(
            self._values_shard, axis_name=placement.AXIS, devices=self.devices
        )
        # Members of a population that begin at once must not compile it twice.
        self._compiling = threading.Lock()
        self._is_compiled = False
        self._flat = jax.jit(_ravel_first)

    def init(self, key: jax.Array) -> LearnerState:
        """Returns the fresh state, without a device axis."""
        config = self._config
        return _initial(
            self._agent,
            config.optimiser,
            config.network.num_values,
            config.resolved_loss.fresh_statistics,
            key,
        )

    def replicate(self, state: LearnerState) -> LearnerState:
        """Copies a state to every device: arrays [devices, ...]."""
        count = len(self.devices)

        def put(x: Any) -> jax.Array:
            copies = np.broadcast_to(x, (count, *np.shape(x)))
            return jax.device_put(copies, self._placement(copies.shape))

        return jax.tree.map(put, state)

    def shard(self, batch: trajectory.Trajectory) -> trajectory.Trajectory:
        """Moves a batch [B, ...] to the devices: arrays [devices, B / devices, ...]."""
        count = len(self.devices)

        def put(x: Any) -> jax.Array:
            parts = x.reshape((count, x.shape[0] // count, *x.shape[1:]))
            return jax.device_put(parts, self._placement(parts.shape))

        return jax.tree.map(put, batch)

    def __call__(
        self,
        state: LearnerState,
        batch: trajectory.Trajectory,
        hyperparameters: trajectory.Hyperparameters,
        held_values: jax.Array | None = None,
    ) -> tuple[LearnerState, dict[str, jax.Array]]:
        """Does one update; `state` is donated.

        Args:
          state: arrays [devices, ...], from `replicate` or the update before.
          batch: from `shard`.
          hyperparameters: float32 scalars and λ [num_tasks, K].
          held_values: of this batch, from `values`; None: those of `state`.

        Returns:
          the next state, and metrics: float32 scalars, means over the batch; and
          `skipped`: 1 where anything in the next state would not have been finite, so
          that nothing but `updates` is changed.
        """
        if self._is_compiled:
            return self._update(state, batch, hyperparameters, held_values)
        with self._compiling:
            result = self._update(state, batch, hyperparameters, held_values)
            self._is_compiled = True
            return result

    def warm_up(self, example: trajectory.Trajectory) -> None:
        """Compiles, by an update that is thrown away; nothing where one was done.

        Args:
          example: an unroll, without a batch's axis, in the shapes of those to come.
        """
        if self._is_compiled:
            return
        config = self._config
        batch = self.shard(_zeros(example, config.batch_size))
        state = self.replicate(self.init(jax.random.key(0)))
        held_values = self.values(state, batch) if config.loss.held_values else None
        shape = len(config.tasks), config.max_teachers
        nothing = annealing.hyperparameters(config, 0, np.zeros(shape, np.float32))
        with self._compiling:
            jax.block_until_ready(self._update(state, batch, nothing, held_values))
            self._is_compiled = True

    def values(self, state: LearnerState, batch: trajectory.Trajectory) -> jax.Array:
        """Returns what the critic expects in a batch, not normalised.

        Args:
          state: as for an update; it is not donated.
          batch: from `shard`.

        Returns:
          float32 [devices, B / devices, T + 1], each of its unroll's task.
        """
        # Members of a population that begin at once must not compile it twice.
        with self._compiling:
            return self._values(state, batch)

    def flat_parameters(self, state: LearnerState) -> jax.Array:
        """Returns a copy of the parameters, float32 [P], as actors take them."""
        # Not x[0], which is an operation for each array.
        return self._flat(jax.tree.map(lambda x: x.addressable_data(0), state.params))

    def on_host(self, state: LearnerState) -> LearnerState:
        """Returns a copy of what the first device has, without a device axis."""
        return jax.tree.map(
            lambda x: np.array(np.asarray(x.addressable_data(0))[0]), state
        )

    def compilations(self) -> int:
        """Returns how often the update was traced, which it is once a compilation."""
        return self._traces

    def _update_shard(
        self,
        state: LearnerState,
        batch: trajectory.Trajectory,
        hyperparameters: trajectory.Hyperparameters,
        held_values: jax.Array | None,
    ) -> tuple[LearnerState, dict[str, jax.Array]]:
        self._traces += 1
        chex.assert_rank([batch.action, batch.first, batch.teacher_logits], [2, 2, 4])

        def loss_of(
            params: trajectory.Params,
        ) -> tuple[jax.Array, vtrace.Findings]:
            output, _ = self._agent.unroll(
                params, batch.observation, batch.first, batch.core_state
            )
            return vtrace.loss(
                output,
                batch,
                state.value_statistics,
                state.advantage_moments,
                hyperparameters,
                self._config.resolved_loss,
                placement.AXIS,
                held_values,
            )

        gradients, found = jax.grad(loss_of, has_aux=True)(state.params)
        gradients = jax.lax.psum(gradients, placement.AXIS)
        params, optimiser_state, optimiser_metrics = optimisers.update(
            self._config.optimiser,
            gradients,
            state.optimiser_state,
            state.params,
            hyperparameters.learning_rate,
            hyperparameters.optimiser_epsilon,
        )
        warm_up = self._config.loss.critic_warm_up_updates
        if warm_up:
            params = _value_head_alone(state.params, params, state.updates < warm_up)
        statistics = state.value_statistics
        if self._config.loss.value_normalisation:
            statistics, params = popart.update(
                statistics,
                params,
                found.target_moments,
                self._config.resolved_loss.fresh_statistics,
            )
        # Unrolls that were acted for a learner which died may be ahead of this one.
        lag = jnp.maximum(state.updates - batch.params_version, 0)
        metrics = jax.lax.pmean(
            {**found.metrics, "policy_lag": jnp.mean(lag.astype(jnp.float32))},
            placement.AXIS,
        )
        after = LearnerState(
            params,
            optimiser_state,
            statistics,
            found.advantage_moments,
            state.updates + 1,
        )
        # What goes into it was summed over the devices: they all find the same.
        is_sound = _is_finite(after)
        after = jax.tree.map(
            lambda new, old: jnp.where(is_sound, new, old),
            after,
            state._replace(updates=after.updates),
        )
        skipped = 1.0 - is_sound.astype(jnp.float32)
        return after, {**metrics, **optimiser_metrics, "skipped": skipped}

    def _values_shard(
        self, state: LearnerState, batch: trajectory.Trajectory
    ) -> jax.Array:
        output, _ = self._agent.unroll(
            state.params, batch.observation, batch.first, batch.core_state
        )
        num_values = output.value.shape[-1]
        own_value = batch.task if num_values > 1 else jnp.zeros_like(batch.task)
        return popart.value(state.value_statistics, output.value, own_value)


def _zeros(tree: Any, *axes: int) -> Any:
    """Returns arrays [*axes, ...] of zeros in the shapes and dtypes of a tree's."""
    return jax.tree.map(lambda x: np.zeros((*axes, *x.shape), x.dtype), tree)


def _value_head_alone(
    before: trajectory.Params, after: trajectory.Params, alone: jax.Array
) -> trajectory.Params:
    """Returns the parameters after an update that may be the value head's alone.

    The optimiser has taken the gradients of all parts: were theirs held back from it,
    it would begin its estimates when they begin to move, with steps far too long.

    Args:
      before: parameters.
      after: of the whole update.
      alone: bool [], whether all else stays.
    """
    kept = jax.tree.map(lambda old, new: jnp.where(alone, old, new), before, after)
    return {**kept, trajectory.VALUE_HEAD: after[trajectory.VALUE_HEAD]}


def _is_finite(tree: Any) -> jax.Array:
    """Whether every number in `tree` is finite, bool []."""
    return jnp.all(
        jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)])
    )


def _compiled_of(config: config_lib.Config) -> config_lib.Config:
    """Returns the configuration without what the compiled update does not know."""
    return dataclasses.replace(
        config,
        logdir="shared",
        seed=0,
        total_frames=config.frames_per_batch,
        evaluation_episodes=0,
        evaluation_minutes=0.0,
        show=False,
        profile_seconds=0.0,
        checkpoint=config_lib.CheckpointConfig(),
    )


@functools.cache
def _shared(agent: Agent, config: config_lib.Config) -> Update:
    return Update(agent, config)
