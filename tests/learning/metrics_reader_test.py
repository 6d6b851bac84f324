"""The metrics of an update come with the next one, and the last ones at the end."""

import jax.numpy as jnp
from absl.testing import absltest

from kickstarting.learning import metrics_reader


def _found(loss: float, skipped: bool = False) -> dict:
    return {"loss": jnp.array([loss]), "skipped": jnp.array([float(skipped)])}


class MetricsReaderTest(absltest.TestCase):
    def test_each_update_brings_those_of_the_one_before(self):
        reader = metrics_reader.MetricsReader()
        self.assertIsNone(reader.exchange(16, _found(1.0), {"learning_rate": 0.5}))
        self.assertEqual(
            reader.exchange(32, _found(2.0, skipped=True), {"learning_rate": 0.25}),
            metrics_reader.Metrics(16, {"loss": 1.0, "learning_rate": 0.5}, False),
        )
        self.assertEqual(
            reader.rest(),
            metrics_reader.Metrics(32, {"loss": 2.0, "learning_rate": 0.25}, True),
        )

    def test_they_are_given_once(self):
        reader = metrics_reader.MetricsReader()
        self.assertIsNone(reader.rest())
        reader.exchange(16, _found(1.0), {})
        self.assertIsNotNone(reader.rest())
        self.assertIsNone(reader.rest())


if __name__ == "__main__":
    absltest.main()
