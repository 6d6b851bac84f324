"""The loss where not all actions are available."""

import dataclasses

import numpy as np
from absl.testing import absltest

from tests import jitted_loss, loss_reference, small_ring


def setUpModule():
    small_ring.compile_quickly()


class AvailableActionsTest(absltest.TestCase):
    def test_unavailable_actions_are_as_if_there_were_none(self):
        config = dataclasses.replace(
            jitted_loss.CONFIG,
            policy_clip=0.2,
            # The form that has a part in the rewards, too.
            distillation_form="expected_entropy",
            distillation_temperature=2.0,
        )
        output, trajectory, hyperparameters = loss_reference.random_unrolls(16)
        offered = np.array([0, 2, 3, 5])

        def spread(logits, nonsense):
            spread = np.full((*logits.shape[:-1], 6), nonsense, np.float32)
            spread[..., offered] = logits
            return spread

        wide = trajectory._replace(
            action=offered[trajectory.action],
            available_actions=spread(trajectory.available_actions, 0).astype(bool),
            behaviour_logits=spread(trajectory.behaviour_logits, 7.0),
            teacher_logits=spread(trajectory.teacher_logits, np.nan),
        )
        wide_output = output._replace(logits=spread(output.logits, 9.0))
        total, metrics = jitted_loss.loss(output, trajectory, hyperparameters, config)
        wide_total, wide_metrics = jitted_loss.loss(
            wide_output, wide, hyperparameters, config
        )
        np.testing.assert_allclose(wide_total, total, rtol=1e-5)
        for name, value in metrics.items():
            np.testing.assert_allclose(
                wide_metrics[name], value, rtol=1e-4, atol=1e-6, err_msg=name
            )
        gradient = jitted_loss.gradient(output, trajectory, hyperparameters, config)
        wide_gradient = jitted_loss.gradient(wide_output, wide, hyperparameters, config)
        np.testing.assert_allclose(
            wide_gradient.logits, spread(gradient.logits, 0.0), rtol=1e-4, atol=1e-6
        )

    def test_where_one_action_is_available_there_is_nothing_to_learn(self):
        output, trajectory, hyperparameters = loss_reference.random_unrolls(17)
        available = trajectory.available_actions & False
        available[..., 0] = True
        trajectory = trajectory._replace(
            action=np.zeros_like(trajectory.action),
            available_actions=available,
            teacher_logits=np.where(
                available[:, None, :-1], -np.inf, trajectory.teacher_logits
            ),
        )
        total, metrics = jitted_loss.loss(
            output, trajectory, hyperparameters, jitted_loss.CONFIG
        )
        np.testing.assert_allclose(
            total, metrics["baseline_loss"] * (trajectory.action.size - 3), rtol=1e-5
        )
        for name in ("entropy", "logit_margin", "kl_behaviour_student"):
            self.assertEqual(float(metrics[name]), 0.0, name)
        self.assertEqual(float(metrics["kl_teacher_student"]), 0.0)
        gradient = jitted_loss.gradient(
            output, trajectory, hyperparameters, jitted_loss.CONFIG
        )
        np.testing.assert_array_equal(gradient.logits, 0.0)
        self.assertTrue(np.isfinite(gradient.value).all())


if __name__ == "__main__":
    absltest.main()
