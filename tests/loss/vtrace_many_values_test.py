"""A critic with a value for each task: each task's loss is its own."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from kickstarting.loss import popart, running_moments, vtrace
from tests import jitted_loss, loss_reference

_CONFIG = dataclasses.replace(jitted_loss.CONFIG, advantage_normalisation=True)


def _moments(mean, deviation):
    mean, deviation = jnp.float32(mean), jnp.float32(deviation)
    return running_moments.Moments(mean, mean**2 + deviation**2, 100 + 0 * mean)


# Returns of very different size, as those of different tasks are.
_STATISTICS = popart.Statistics(
    _moments([0.0, 3.0, -20.0], [1.0, 4.0, 50.0]), jnp.float32([1.0, 4.0, 50.0])
)
_ADVANTAGES = _moments([0.1, 0.0, -0.2], [0.5, 2.0, 1.0])


@jax.jit
def _loss(output, trajectory, statistics, advantages, hyperparameters):
    return vtrace.loss(
        output, trajectory, statistics, advantages, hyperparameters, _CONFIG
    )


def _of_task(moments, task):
    return jax.tree.map(lambda x: x[task : task + 1], moments)


class ManyValuesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        output, trajectory, self.hyperparameters = loss_reference.random_unrolls(
            20, batch=3
        )
        random = np.random.default_rng(21)
        values = random.normal(size=(*output.value.shape[:2], 3)).astype(np.float32)
        self.output = output._replace(value=values)
        self.trajectory = trajectory._replace(task=np.array([2, 0, 1], np.int32))

    def test_the_loss_is_the_sum_of_each_tasks_own(self):
        total, found = _loss(
            self.output,
            self.trajectory,
            _STATISTICS,
            _ADVANTAGES,
            self.hyperparameters,
        )
        alone = 0.0
        for row, task in enumerate(self.trajectory.task):
            output, trajectory = jax.tree.map(
                lambda x, row=row: x[row : row + 1], (self.output, self.trajectory)
            )
            output = output._replace(value=output.value[..., task : task + 1])
            own_total, own = _loss(
                output,
                trajectory,
                _of_task(_STATISTICS, task),
                _of_task(_ADVANTAGES, task),
                self.hyperparameters,
            )
            alone += own_total
            for moments in ("target_moments", "advantage_moments"):
                jax.tree.map(
                    lambda one, other: np.testing.assert_allclose(
                        one, other, rtol=1e-4
                    ),
                    _of_task(getattr(found, moments), task),
                    getattr(own, moments),
                )
        np.testing.assert_allclose(total, alone, rtol=1e-4)

    def test_only_a_tasks_own_value_learns_from_it(self):
        gradient = jax.grad(
            lambda output: _loss(
                output,
                self.trajectory,
                _STATISTICS,
                _ADVANTAGES,
                self.hyperparameters,
            )[0]
        )(jax.tree.map(jnp.asarray, self.output))
        moved = np.abs(gradient.value).sum(axis=1) > 0
        np.testing.assert_array_equal(moved, np.eye(3, dtype=bool)[[2, 0, 1]])


if __name__ == "__main__":
    absltest.main()
