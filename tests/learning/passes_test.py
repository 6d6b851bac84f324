"""A window's passes: whose batches are new, which values are held, where it ends."""

import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from kickstarting.learning import passes
from tests import small_ring

CONFIG = small_ring.small_config(batch_size=4, window_batches=2, passes=3)


def _of_window(frames: int, takes: list) -> list[passes.Batch]:
    """Of batches [1 device, 4 unrolls], each with ten times its numbers as values."""
    return list(
        passes.of_window(CONFIG, frames, 5, lambda: takes.pop(0), lambda x: 10 * x)
    )


def _taken(number: int) -> jnp.ndarray:
    return jnp.full((1, 4), float(number))


class OfWindowTest(absltest.TestCase):
    def test_each_pass_takes_all_unrolls_and_the_first_ones_count(self) -> None:
        found = _of_window(0, [_taken(1), _taken(2)])
        self.assertEqual(
            [batch.new_frames for batch in found],
            [CONFIG.frames_per_batch] * 2 + [0] * 4,
        )
        self.assertEqual([batch.ends_window for batch in found], [False] * 5 + [True])
        for first, second in zip(found[::2], found[1::2], strict=True):
            both = np.concatenate([first.trajectory, second.trajectory])
            np.testing.assert_array_equal(np.sort(both, axis=0), [[1.0] * 4, [2.0] * 4])

    def test_values_stay_with_their_unrolls(self) -> None:
        for batch in _of_window(0, [_taken(1), _taken(2)]):
            np.testing.assert_array_equal(batch.held_values, 10 * batch.trajectory)

    def test_the_last_window_is_as_long_as_the_run(self) -> None:
        left = CONFIG.total_frames - CONFIG.frames_per_batch
        found = _of_window(left, [_taken(1)])
        self.assertLen(found, CONFIG.passes)
        self.assertTrue(found[-1].ends_window)

    def test_a_stream_that_ends_leaves_the_window_out(self) -> None:
        self.assertEmpty(_of_window(0, [_taken(1), None]))


if __name__ == "__main__":
    absltest.main()
