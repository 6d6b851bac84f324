"""Targets and advantages of held values, against the papers' equations in NumPy."""

import dataclasses

import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.agent import trajectory as trajectory_lib
from kickstarting.loss import popart, vtrace
from tests import jitted_loss, loss_reference, small_ring

_CONFIG = dataclasses.replace(
    jitted_loss.CONFIG, advantage_normalisation=True, vtrace_lambda=0.9
)


def setUpModule():
    small_ring.compile_quickly()


@jax.jit
def _loss(output, trajectory, hyperparameters, held_values):
    total, found = vtrace.loss(
        output,
        trajectory,
        popart.initial(1),
        jitted_loss.ADVANTAGE_MOMENTS,
        hyperparameters,
        _CONFIG,
        held_values=held_values,
    )
    return total, found.metrics


class HeldValuesTest(parameterized.TestCase):
    def _unrolls(self, seed):
        output, trajectory, hyperparameters = loss_reference.random_unrolls(seed)
        held = np.random.default_rng(seed + 100).normal(size=output.value.shape)
        return output, trajectory, hyperparameters, held.astype(np.float32)

    @parameterized.parameters(0, 1, 2)
    def test_equals_numpy(self, seed):
        output, trajectory, hyperparameters, held = self._unrolls(seed)
        # Of a critic that says what is held, all but the critic's own loss is the same.
        expected, targets = loss_reference.numpy_loss(
            output._replace(value=held), trajectory, hyperparameters, _CONFIG
        )
        counted = ~trajectory_lib.is_crossing(trajectory.discount, trajectory.first)
        errors = (targets - output.value[:, :-1, 0])[counted]
        expected["baseline"] = _CONFIG.baseline_cost * 0.5 * np.sum(errors**2)

        total, metrics = _loss(output, trajectory, hyperparameters, held[..., 0])
        for name, value in expected.items():
            np.testing.assert_allclose(
                metrics[f"{name}_loss"] * counted.sum(),
                value,
                rtol=1e-4,
                err_msg=name,
            )
        np.testing.assert_allclose(total, sum(expected.values()), rtol=1e-4)

    def test_the_critics_own_values_held_change_nothing(self):
        output, trajectory, hyperparameters, _ = self._unrolls(3)
        own = output.value[..., 0]
        held = _loss(output, trajectory, hyperparameters, own)
        free = _loss(output, trajectory, hyperparameters, None)
        jax.tree.map(np.testing.assert_array_equal, held, free)

    def test_the_critic_is_drawn_to_the_targets_and_nothing_to_what_is_held(self):
        output, trajectory, hyperparameters, held = self._unrolls(4)

        def total(output, held):
            return _loss(output, trajectory, hyperparameters, held)[0]

        of_output, of_held = jax.grad(total, argnums=(0, 1))(output, held[..., 0])
        np.testing.assert_array_equal(of_held, 0)
        _, targets = loss_reference.numpy_loss(
            output._replace(value=held), trajectory, hyperparameters, _CONFIG
        )
        counted = ~trajectory_lib.is_crossing(trajectory.discount, trajectory.first)
        expected = _CONFIG.baseline_cost * counted * (output.value[:, :-1, 0] - targets)
        np.testing.assert_allclose(
            of_output.value[:, :-1, 0], expected, rtol=1e-3, atol=1e-4
        )
        np.testing.assert_array_equal(of_output.value[:, -1], 0)


if __name__ == "__main__":
    absltest.main()
