"""Where pmap has its arrays, so that nothing is copied when it is called."""

from collections.abc import Callable, Sequence

import jax
import numpy as np
from jax import sharding

# Of the devices: arrays that came from pmaps of other names would be compiled anew.
AXIS = "devices"


def of_pmap(
    devices: Sequence[jax.Device],
) -> Callable[[tuple[int, ...]], sharding.Sharding]:
    """Returns a function from a shape [devices, ...] to where pmap has such an array.

    What lies elsewhere is cut and copied, array by array, whenever pmap is given it.
    Where that is depends on the version of JAX, and so pmap is asked.

    Args:
      devices: of the pmaps whose axis is called AXIS.
    """
    shown = jax.pmap(lambda x: x, axis_name=AXIS, devices=devices)(
        np.zeros(len(devices), np.float32)
    )
    if isinstance(shown.sharding, sharding.NamedSharding):
        return lambda shape: shown.sharding
    return lambda shape: sharding.PmapSharding.default(shape, 0, devices)
