"""Where pmap has its arrays: what lies there is not copied."""

import os

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.learning import placement
from tests import small_ring

_compiled: list[float] = []


def setUpModule():
    small_ring.compile_quickly()
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, seconds, **_: (
            _compiled.append(seconds)
            if event.endswith("backend_compile_duration")
            else None
        )
    )


class PlacementTest(parameterized.TestCase):
    @parameterized.parameters(1, 4)
    def test_pmap_takes_what_lies_there_as_it_is(self, num_devices):
        devices = jax.local_devices()[:num_devices]
        self.assertLen(devices, num_devices)
        place = placement.of_pmap(devices)
        values = np.arange(num_devices * 6.0, dtype=np.float32)
        values = values.reshape(num_devices, 2, 3)
        placed = jax.device_put(values, place(values.shape))
        program = jax.pmap(lambda x: x + 1, axis_name=placement.AXIS, devices=devices)
        _compiled.clear()
        result = program(placed)
        # Nothing but the program itself: no slices of what it was given.
        self.assertLen(_compiled, 1)
        np.testing.assert_array_equal(result, values + 1)
        self.assertEqual(result.sharding, placed.sharding)


if __name__ == "__main__":
    absltest.main()
