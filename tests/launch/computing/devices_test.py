"""What a process computes on, and a node that did not get what it was to have."""

import os
from unittest import mock

from absl.testing import absltest, parameterized

from kickstarting.config import run as config_lib
from launch.computing import devices


class DevicesTest(parameterized.TestCase):
    def test_there_are_as_many_elsewhere(self) -> None:
        self.assertEqual(devices.local(), ("cpu",))
        self.assertEqual(devices.elsewhere(), ("cpu",))

    @parameterized.parameters(
        ((), ""),
        (("cpu",), "1 × cpu"),
        (("NVIDIA H200", "NVIDIA H200"), "2 × NVIDIA H200"),
    )
    def test_in_words(self, kinds, expected) -> None:
        self.assertEqual(devices.text(kinds), expected)

    def test_an_accelerator_that_jax_does_not_find(self) -> None:
        environment = {k: v for k, v in os.environ.items() if k != "JAX_PLATFORMS"}
        with (
            mock.patch.dict(os.environ, environment, clear=True),
            self.assertRaisesRegex(config_lib.ConfigError, "1 accelerators.*none"),
        ):
            devices.check(1)
        devices.check(0)

    def test_who_is_to_keep_to_the_cpu_needs_none(self) -> None:
        with mock.patch.dict(os.environ, {"JAX_PLATFORMS": "cpu"}):
            devices.check(1)


if __name__ == "__main__":
    absltest.main()
