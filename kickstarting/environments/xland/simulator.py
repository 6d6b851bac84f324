"""One level of XLand-MiniGrid as pure functions, unbatched and as a batch.

The library's own step evaluates every kind of rule and of goal that XLand has, for each
environment of a batch. MiniGrid's tasks have no rules, and most of them one kind of
goal: here the library's parts are put together without the others.

The library shows nowhere what the agent carries, so that a task with a key is one of
memory. Here it is drawn where MiniGrid draws it, in the agent's own cell of the view.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xminigrid
from xminigrid import environment as library
from xminigrid import types
from xminigrid.core import actions, constants, goals, observation

from kickstarting.environments.stepping import batch

# In the order of their numbers in an encoding; other kinds are left to the library.
_GOALS = (goals.EmptyGoal, goals.AgentHoldGoal, goals.AgentOnTileGoal)


class BatchState(NamedTuple):
    """State of a group of environments of one level; arrays have leading axis [G]."""

    timestep: Any
    key: jax.Array


class BatchOutcome(NamedTuple):
    """One step of a group as batch.EnvironmentBatch reports it; arrays are [G, ...]."""

    observation: jax.Array
    reward: jax.Array
    discount: jax.Array
    first: jax.Array
    ended: jax.Array


class Simulator:
    """One level's dynamics as pure functions, unbatched and batched."""

    def __init__(self, level: str, action_repeat: int) -> None:
        self._environment, self._parameters = xminigrid.make(level)
        self._action_repeat = action_repeat
        self.reset = jax.jit(self._reset)
        self.step = jax.jit(self._step)
        self.reset_batch = jax.jit(self._reset_batch)
        self.step_batch = jax.jit(self._step_batch)

    def _reset(self, key: jax.Array) -> Any:
        return _with_carried(self._environment.reset(self._parameters, key))

    def _step(self, timestep: Any, action: jax.Array) -> tuple[Any, jax.Array]:
        """Repeats an action; returns the last time step and the summed reward."""

        def repeat(carry: tuple[Any, jax.Array], _: None) -> tuple[Any, None]:
            before, total = carry
            after = _with_carried(self._step_once(before, action))
            # Steps after the episode's end change nothing.
            after = _select(before.last(), before, after)
            total += jnp.where(before.last(), 0.0, after.reward)
            return (after, total), None

        carry = (timestep, jnp.zeros((), jnp.float32))
        if self._action_repeat == 1:
            # Without a loop there is less to trace.
            return repeat(carry, None)[0]
        return jax.lax.scan(repeat, carry, None, length=self._action_repeat)[0]

    def _step_once(self, before: Any, action: jax.Array) -> Any:
        """What the library's step does where there are no rules."""
        if type(self._environment).step is not library.Environment.step:
            return self._environment.step(self._parameters, before, action)
        state, parameters = before.state, self._parameters
        grid, agent, changed = actions.take_action(state.grid, state.agent, action)
        state = state.replace(grid=grid, agent=agent, step_num=state.step_num + 1)
        terminated = self._at_goal(state.goal_encoding, grid, agent, action, changed)
        truncated = state.step_num == parameters.max_steps
        view = parameters.view_size
        return types.TimeStep(
            state=state,
            step_type=jnp.where(
                terminated | truncated, types.StepType.LAST, types.StepType.MID
            ),
            reward=jnp.where(
                terminated, 1.0 - 0.9 * (state.step_num / parameters.max_steps), 0.0
            ),
            discount=jnp.where(terminated, 0.0, 1.0),
            observation=observation.transparent_field_of_view(grid, agent, view, view),
        )

    @functools.cached_property
    def _at_goal(self) -> Callable[..., jax.Array]:
        """The check of the level's kind of goal, or, where it is not one, of any."""
        encodings = []

        def open_episode(key: jax.Array) -> jax.Array:
            timestep = self._reset(key)
            encodings.append(timestep.state.goal_encoding)
            return timestep.observation

        jax.eval_shape(open_episode, jax.random.PRNGKey(0))
        # What an episode's key decides is no constant.
        if isinstance(encodings[0], jax.core.Tracer):
            return goals.check_goal
        kind = int(np.asarray(encodings[0])[0])
        if kind >= len(_GOALS):
            return goals.check_goal
        return lambda encoding, *where: _GOALS[kind].decode(encoding)(*where)

    def _reset_batch(self, keys: jax.Array) -> tuple[BatchState, BatchOutcome]:
        """Opens G episodes from keys uint32 [G, 2]."""
        keys, opening_keys = _split(keys)
        timestep = jax.vmap(self._reset)(opening_keys)
        size = keys.shape[0]
        outcome = BatchOutcome(
            observation=timestep.observation,
            reward=jnp.zeros(size, jnp.float32),
            discount=jnp.ones(size, jnp.float32),
            first=jnp.ones(size, bool),
            ended=jnp.zeros(size, bool),
        )
        return BatchState(timestep, keys), outcome

    def _step_batch(
        self,
        state: BatchState,
        action: jax.Array,
        chosen: jax.Array,
        bootstraps: jax.Array,
    ) -> tuple[BatchState, BatchOutcome]:
        """Steps those of G environments that are `chosen`.

        Args:
          state: of the group.
          action: int32 [G], or batch.OPEN_EPISODE.
          chosen: bool [G]; the others keep their state, and their outcome is void.
          bootstraps: bool [G]; False has a time limit terminate its episode.

        Returns:
          The next state and the outcome.
        """
        # Only truncated episodes wait on their last time step: the terminated ones have
        # been reset in the step that ended them.
        crossing = state.timestep.last() | (action == batch.OPEN_EPISODE)
        stepped, reward = jax.vmap(self._step)(state.timestep, action)
        ended = stepped.last() & ~crossing
        terminated = ended & ((stepped.discount == 0) | ~bootstraps)
        opens = crossing | terminated
        keys, opening_keys = _split(state.key)
        # Resets cost more than steps, and most steps need none.
        timestep = jax.lax.cond(
            jnp.any(opens & chosen),
            lambda: _select(opens, jax.vmap(self._reset)(opening_keys), stepped),
            lambda: stepped,
        )
        outcome = BatchOutcome(
            observation=timestep.observation,
            reward=jnp.where(crossing, 0.0, reward),
            discount=jnp.where(terminated, 0.0, 1.0),
            first=opens,
            ended=ended,
        )
        return _select(chosen, BatchState(timestep, keys), state), outcome


@functools.cache
def simulator(level: str, action_repeat: int) -> Simulator:
    """Returns the level's simulator, the same one each time: it compiles once."""
    return Simulator(level, action_repeat)


def _with_carried(timestep: Any) -> Any:
    """Draws what the agent carries over its own cell; with nothing, the cell stays."""
    view, carried = timestep.observation, timestep.state.agent.pocket
    height, width, _ = view.shape
    # The view looks upwards from the middle of its lowest row. In a batch an update of
    # one cell would be a scatter, which costs more than a mask.
    own_cell = np.zeros((height, width, 1), bool)
    own_cell[height - 1, width // 2] = True
    carries = carried[0] != constants.Tiles.EMPTY
    return timestep.replace(observation=jnp.where(own_cell & carries, carried, view))


def _split(keys: jax.Array) -> tuple[jax.Array, jax.Array]:
    pairs = jax.vmap(jax.random.split)(keys)
    return pairs[:, 0], pairs[:, 1]


def _select(condition: jax.Array, accepted: Any, refused: Any) -> Any:
    """Chooses between two trees by a bool [] or [G] over their leaves' first axis."""

    def choose(yes: jax.Array, no: jax.Array) -> jax.Array:
        shape = condition.shape + (1,) * (jnp.ndim(yes) - condition.ndim)
        return jnp.where(condition.reshape(shape), yes, no)

    return jax.tree.map(choose, accepted, refused)
