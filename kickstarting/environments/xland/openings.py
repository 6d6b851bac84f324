"""What episodes of a level begin with, drawn by XLand-MiniGrid itself.

Only this is compiled: one program for each level, which draws some openings at a time.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xminigrid
from xminigrid.envs.minigrid.memory import Memory

# Of a goal's encoding, beside the library's own kinds: of the Memory tasks, which say
# in their step where they end. Their encoding goes on with the position that is
# rewarded and the one that is not.
MEMORY = 255
# A call costs more than a few further openings.
_DRAWN_AT_ONCE = 16


class Opening(NamedTuple):
    """What one episode begins with.

    Attributes:
      grid: uint8 [H, W, 2], tile and colour by row and column.
      position: int32 [2], the agent's row and column.
      direction: int32 [], where it looks: 0 up, 1 right, 2 down, 3 left.
      pocket: uint8 [2], tile and colour of what it carries.
      goal: uint8 [5], the kind of goal and what it is about, as the library encodes it.
    """

    grid: Any
    position: Any
    direction: Any
    pocket: Any
    goal: Any


def openings(
    level: str, seed: int, device: jax.Device | None = None
) -> Iterator[Opening]:
    """Yields the openings of a level's episodes, without end, as its seed has them.

    Args:
      level: that the library has registered.
      seed: of the first episode and of all after it.
      device: where they are drawn; JAX's default if None.
    """
    # What is committed to a device takes the computation there.
    key = jax.device_put(jax.random.PRNGKey(seed), device)
    while True:
        key, drawn = _program(level)(key)
        several = jax.device_get(drawn)
        for index in range(_DRAWN_AT_ONCE):
            yield Opening(*(array[index] for array in several))


@functools.cache
def _program(level: str) -> Callable[[jax.Array], tuple[jax.Array, Opening]]:
    """Returns what draws openings [N, ...], and the key of those after them."""
    environment, parameters = xminigrid.make(level)

    def split(key: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        key, opening_key = jax.random.split(key)
        return key, opening_key

    def open_episode(key: jax.Array) -> Opening:
        state = environment.reset(parameters, key).state
        goal = state.goal_encoding
        if isinstance(environment, Memory):
            ends = state.carry.success_pos, state.carry.failure_pos
            goal = jnp.concatenate([np.array([MEMORY]), *ends]).astype(jnp.uint8)
        agent = state.agent
        return Opening(state.grid, agent.position, agent.direction, agent.pocket, goal)

    def draw(key: jax.Array) -> tuple[jax.Array, Opening]:
        key, opening_keys = jax.lax.scan(split, key, length=_DRAWN_AT_ONCE)
        return key, jax.vmap(open_episode)(opening_keys)

    return jax.jit(draw)
