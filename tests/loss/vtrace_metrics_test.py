"""What the loss tells of itself, against NumPy."""

import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.agent import trajectory as trajectory_lib
from tests import jitted_loss, loss_reference


class MetricsTest(parameterized.TestCase):
    def test_teacher_metrics(self):
        output, trajectory, hyperparameters = loss_reference.random_unrolls(7)
        _, metrics = jitted_loss.loss(
            output, trajectory, hyperparameters, jitted_loss.CONFIG
        )
        counted = ~trajectory_lib.is_crossing(trajectory.discount, trajectory.first)
        mask = (trajectory.teacher_mask * counted[:, None]).astype(bool)
        teacher = loss_reference.softmax(trajectory.teacher_logits)
        policy = loss_reference.softmax(output.logits[:, None, :-1])
        crossed = -np.sum(teacher * np.log(policy), axis=-1)
        divergence = np.sum(teacher * (np.log(teacher) - np.log(policy)), axis=-1)
        agreement = teacher.argmax(-1) == policy.argmax(-1)
        for name, values in (
            ("cross_entropy", crossed),
            ("kl_teacher_student", divergence),
            ("teacher_agreement", agreement),
        ):
            np.testing.assert_allclose(metrics[name], values[mask].mean(), rtol=1e-4)
        np.testing.assert_allclose(
            metrics["teacher_coverage"], mask.sum() / (2 * counted.sum()), rtol=1e-5
        )

    def test_no_teacher_answered(self):
        output, trajectory, hyperparameters = loss_reference.random_unrolls(8)
        trajectory = trajectory._replace(
            teacher_logits=np.full_like(trajectory.teacher_logits, np.nan),
            teacher_mask=np.zeros_like(trajectory.teacher_mask),
        )
        total, metrics = jitted_loss.loss(
            output, trajectory, hyperparameters, jitted_loss.CONFIG
        )
        self.assertTrue(np.isfinite(total))
        for name in (
            "teacher_coverage",
            "cross_entropy",
            "kl_teacher_student",
            "teacher_agreement",
            "kickstarting_loss",
        ):
            self.assertEqual(float(metrics[name]), 0.0)
        gradient = jitted_loss.gradient(
            output, trajectory, hyperparameters, jitted_loss.CONFIG
        )
        self.assertTrue(np.all(np.isfinite(gradient.logits)))

    def test_student_metrics(self):
        output, trajectory, hyperparameters = loss_reference.random_unrolls(9)
        _, metrics = jitted_loss.loss(
            output, trajectory, hyperparameters, jitted_loss.CONFIG
        )
        _, targets = loss_reference.numpy_loss(
            output, trajectory, hyperparameters, jitted_loss.CONFIG
        )
        counted = ~trajectory_lib.is_crossing(trajectory.discount, trajectory.first)
        policy = loss_reference.softmax(output.logits[:, :-1])
        behaviour = loss_reference.softmax(trajectory.behaviour_logits)
        values = output.value[:, :-1, 0][counted]
        targets = targets[counted]
        ordered = np.sort(output.logits[:, :-1][counted], axis=-1)
        index = trajectory.action[..., None]
        rho = np.take_along_axis(policy, index, -1) / np.take_along_axis(
            behaviour, index, -1
        )
        for name, expected in (
            ("entropy", -np.sum(policy * np.log(policy), axis=-1)[counted].mean()),
            ("logit_margin", (ordered[..., -1] - ordered[..., -2]).mean()),
            ("value", values.mean()),
            ("value_target", targets.mean()),
            ("explained_variance", 1 - np.var(targets - values) / np.var(targets)),
            ("rho_clip_fraction", (rho[..., 0][counted] > 1).mean()),
            (
                "kl_behaviour_student",
                np.sum(behaviour * np.log(behaviour / policy), axis=-1)[counted].mean(),
            ),
        ):
            np.testing.assert_allclose(
                metrics[name], expected, rtol=1e-3, atol=1e-5, err_msg=name
            )
        for name, metric in metrics.items():
            self.assertEqual((metric.shape, metric.dtype), ((), jnp.float32), name)

    def test_only_crossing_steps_give_finite_metrics(self):
        output, trajectory, hyperparameters = loss_reference.random_unrolls(10)
        trajectory = trajectory._replace(
            first=np.ones_like(trajectory.first),
            discount=np.ones_like(trajectory.discount),
        )
        total, metrics = jitted_loss.loss(
            output, trajectory, hyperparameters, jitted_loss.CONFIG
        )
        self.assertEqual(float(total), 0.0)
        for name, metric in metrics.items():
            self.assertTrue(np.isfinite(metric), name)


if __name__ == "__main__":
    absltest.main()
