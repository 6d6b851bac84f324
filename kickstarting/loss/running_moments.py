"""Running mean and mean square of numbers of several groups, over all devices.

The newest numbers count most: at first the last `_RECENT`-th of all that was seen, so
that how it began is soon forgotten; later each number has the same small weight, so
that a group that few of a batch's numbers belong to moves as little as they say.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from kickstarting.agent.trajectory import Array

# A batch that is one of n has _RECENT / n as its share: what was seen in the first
# tenth of a time weighs 10^-_RECENT of all at its end.
_RECENT = 20.0
# And not more than this, so that no single batch decides.
_MOST = 0.5


class Moments(NamedTuple):
    """Of N groups, float32 [N] each.

    Attributes:
      mean: of the group's numbers.
      second: their mean square.
      count: of the numbers seen; those of one batch in a batch's moments.
    """

    mean: Array
    second: Array
    count: Array


def initial(num_groups: int) -> Moments:
    """Returns moments of mean 0 and deviation 1 that nothing has been seen of."""
    zeros, ones = jnp.zeros(num_groups, jnp.float32), jnp.ones(num_groups, jnp.float32)
    return Moments(zeros, ones, zeros)


def of_batch(
    numbers: Array,
    counted: Array,
    group: Array,
    num_groups: int,
    axis_name: str | None = None,
) -> Moments:
    """Returns the moments of a batch; a group that has no number in it has zeros.

    Args:
      numbers: float32 [B, T].
      counted: which numbers count, 1 or 0, float32 [B, T].
      group: of each row, int32 [B].
      num_groups: N.
      axis_name: of the devices' axis; the batch is a part of that on all of them.
    """
    sums = jax.ops.segment_sum(
        jnp.stack(
            [
                jnp.sum(counted, axis=1),
                jnp.sum(numbers * counted, axis=1),
                jnp.sum(numbers**2 * counted, axis=1),
            ],
            axis=-1,
        ),
        group,
        num_groups,
    )
    if axis_name is not None:
        sums = jax.lax.psum(sums, axis_name)
    count = sums[:, 0]
    divisor = jnp.maximum(count, 1.0)
    return Moments(sums[:, 1] / divisor, sums[:, 2] / divisor, count)


def share(
    moments: Moments, batch: Moments, step_size: float, fresh: bool = True
) -> Array:
    """Returns what share a batch has in the moments after it, float32 [N].

    Args:
      moments: before.
      batch: of this batch.
      step_size: least share of a batch in a group's moments, if the batch's numbers
        are dealt evenly; more of them have a larger share.
      fresh: False averages the first batches, so that their start stays for long.
    """
    count = moments.count + batch.count
    even = jnp.maximum(jnp.sum(batch.count) / batch.count.size, 1.0)
    part = batch.count / jnp.maximum(count, 1.0)
    recent = jnp.minimum(_RECENT * part, _MOST) if fresh else part
    later = jnp.minimum(step_size * batch.count / even, 1.0)
    # Nothing was there before a group's first numbers.
    is_first = (moments.count == 0) & (batch.count > 0)
    return jnp.where(is_first, 1.0, jnp.maximum(recent, later))


def follow(
    moments: Moments, batch: Moments, step_size: float, fresh: bool = True
) -> Moments:
    """Returns the moments after a batch; see `share`."""
    weight = share(moments, batch, step_size, fresh)
    return Moments(
        (1 - weight) * moments.mean + weight * batch.mean,
        (1 - weight) * moments.second + weight * batch.second,
        moments.count + batch.count,
    )
