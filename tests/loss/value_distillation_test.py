"""Value distillation: its loss against the closed form, and through the whole ring."""

import dataclasses
import os

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from kickstarting.agent import trajectory as trajectory_lib
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config
from kickstarting.loss import popart, running_moments, vtrace
from kickstarting.queue import example as trajectory_example
from kickstarting.teaching import cards as teacher_cards
from kickstarting.teaching import files as teacher_files
from kickstarting.teaching import server as teacher_server
from kickstarting.teaching import teachers
from tests import background, jitted_loss, loss_reference, small_ring, small_teachers
from tests.counting_environment import CountingBatch, Script

_OFF = dataclasses.replace(jitted_loss.CONFIG, reinforcement=False)
_COST = 0.7
_ON = dataclasses.replace(_OFF, value_distillation_cost=_COST)
_TASK = "gym:counting"
_TEACHERS_OPTIMISM = 3.0
# Returns of very different size, as those of different tasks are.
_MEAN, _SCALE = jnp.float32([0.0, 3.0, -20.0]), jnp.float32([1.0, 4.0, 50.0])
_COUNT = jnp.full(3, 100.0)
_STATISTICS = popart.Statistics(
    running_moments.Moments(_MEAN, _MEAN**2 + _SCALE**2, _COUNT), _SCALE
)
_ADVANTAGES = running_moments.Moments(jnp.zeros(3), jnp.ones(3), _COUNT)


def setUpModule():
    small_ring.compile_quickly()


def _loss(output, trajectory, hyperparameters):
    return vtrace.loss(
        output, trajectory, _STATISTICS, _ADVANTAGES, hyperparameters, _ON
    )


# By the network's output and by the teachers' values.
_gradients = jax.jit(
    jax.grad(
        lambda output, teacher_values, trajectory, hyperparameters: _loss(
            output, trajectory._replace(teacher_values=teacher_values), hyperparameters
        )[0],
        argnums=(0, 1),
    )
)


class LossTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        output, trajectory, self.hyperparameters = loss_reference.random_unrolls(3)
        random = np.random.default_rng(4)
        self.output = output._replace(
            value=random.normal(size=(*output.value.shape[:2], 3)).astype(np.float32)
        )
        mask = trajectory.teacher_mask
        self.task = np.array([2, 0, 1], np.int32)
        self.trajectory = trajectory._replace(
            teacher_values=random.normal(3, 9, mask.shape).astype(np.float32),
            task=self.task,
        )
        crossing = trajectory_lib.is_crossing(trajectory.discount, trajectory.first)
        self.assertTrue((mask * crossing[:, None]).any())
        # Every task's own value, and where a teacher's counts.
        own = np.take_along_axis(self.output.value, self.task[:, None, None], axis=-1)
        mean, scale = np.asarray(_MEAN), np.asarray(_SCALE)
        self.scale = scale[self.task][:, None]
        self.values = (own[..., 0] * self.scale + mean[self.task][:, None])[:, :-1]
        self.mask = mask * ~crossing[:, None]
        self.difference = self.values[:, None] - self.trajectory.teacher_values
        self.weight = self.hyperparameters.kickstarting_weight[self.task][..., None]

    def test_gradient_is_that_of_the_closed_form(self):
        gradient, of_teachers = _gradients(
            self.output,
            self.trajectory.teacher_values,
            self.trajectory,
            self.hyperparameters,
        )
        by_value = np.sum(
            _COST
            * self.weight
            * self.mask
            * self.difference
            / self.scale[..., None] ** 2,
            axis=1,
        )
        expected = np.zeros_like(self.output.value)
        for row, task in enumerate(self.task):
            # The value is the network's output times the scale.
            expected[row, :-1, task] = by_value[row] * self.scale[row]
        np.testing.assert_allclose(gradient.value, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(of_teachers, 0.0)

    def test_loss_and_metrics(self):
        total, found = jax.jit(_loss)(
            self.output, self.trajectory, self.hyperparameters
        )
        expected = _COST * np.sum(
            self.weight
            * self.mask
            * 0.5
            * (self.difference / self.scale[..., None]) ** 2
        )
        steps = (
            1
            - trajectory_lib.is_crossing(
                self.trajectory.discount, self.trajectory.first
            )
        ).sum()
        metrics = found.metrics
        np.testing.assert_allclose(
            metrics["value_distillation_loss"] * steps, expected, rtol=1e-4
        )
        np.testing.assert_allclose(
            total, metrics["kickstarting_loss"] * steps + expected, rtol=1e-4
        )
        np.testing.assert_allclose(
            metrics["value_difference"],
            np.sum(np.abs(self.difference) * self.mask) / self.mask.sum(),
            rtol=1e-4,
        )

    def test_what_was_not_answered_counts_nowhere(self):
        unanswered = self.mask == 0
        self.assertTrue(unanswered.any())
        values = np.where(unanswered, np.nan, self.trajectory.teacher_values)
        arguments = self.trajectory, self.hyperparameters
        expected, _ = _gradients(
            self.output, self.trajectory.teacher_values, *arguments
        )
        gradient, _ = _gradients(self.output, values.astype(np.float32), *arguments)
        np.testing.assert_array_equal(gradient.value, expected.value)
        np.testing.assert_array_equal(gradient.logits, expected.logits)

    def test_it_is_one_term_beside_the_others(self):
        """Also where the student learns from rewards, with one value for all tasks."""
        output, trajectory, hyperparameters = loss_reference.random_unrolls(5)
        mask = trajectory.teacher_mask
        valued = trajectory._replace(teacher_values=np.full_like(mask, 2.0))
        on = dataclasses.replace(jitted_loss.CONFIG, value_distillation_cost=_COST)
        off_total, off = jitted_loss.loss(
            output, trajectory, hyperparameters, jitted_loss.CONFIG
        )
        on_total, metrics = jitted_loss.loss(output, valued, hyperparameters, on)
        self.assertEqual(
            metrics.keys() - off.keys(), {"value_distillation_loss", "value_difference"}
        )
        counted = ~trajectory_lib.is_crossing(trajectory.discount, trajectory.first)
        weight = hyperparameters.kickstarting_weight[trajectory.task][..., None]
        difference = output.value[:, None, :-1, 0] - 2.0
        term = 0.5 * _COST * weight * mask * counted[:, None] * difference**2
        np.testing.assert_allclose(on_total - off_total, term.sum(), rtol=1e-3)


class RingTest(absltest.TestCase):
    def _config(self, cost: float, weight: float = 1.0) -> config.Config:
        folder = os.path.join(self.create_tempdir().full_path, "teacher")
        small_teachers.save(
            folder, value=teacher_cards.ValueMeaning(0.99, reward_clipping="abs_one")
        )
        params, card = teacher_files.load_teacher(folder)
        # Far from those that the student begins with.
        params["value"]["bias"] += _TEACHERS_OPTIMISM
        teacher_files.save_teacher(folder, params, card)
        return small_ring.small_config(
            tasks=(_TASK,),
            logdir=self.create_tempdir().full_path,
            total_frames=100 * 16,
            lockstep=True,
            loss=agent_config.LossConfig(value_distillation_cost=cost),
            optimiser=agent_config.OptimiserConfig(learning_rate=1e-2, anneal=False),
            kickstarting=config.KickstartingConfig(
                teachers=((_TASK, folder),),
                use="distillation",
                schedule="constant",
                weight=weight,
            ),
        )

    def _train(self, run: config.Config) -> small_ring.Trained:
        server = teacher_server.TeacherServer(
            run.teachers_of_task,
            run.max_teachers,
            valued_tasks=run.tasks if run.asks_teacher_values else None,
        )
        background.start(self, server.run)
        environments = CountingBatch([Script(length=3)] * 4, 2, run.unroll_length)
        return small_ring.train(run, environments, server)

    def test_the_teachers_values_reach_the_learner_and_are_learned(self):
        run = self._config(cost=1.0)
        trained = self._train(run)
        batch = trained.batches[0]
        self.assertEqual(batch.teacher_values.shape, (4, 1, 4))
        teacher = teachers.CheckpointTeacher(run.teachers_of_task[0][0])
        # The first unrolls of the environments open the run: so do the states.
        _, values, _ = teacher.label_with_values(
            jax.tree.map(lambda x: x[:, :-1], batch.observation),
            batch.first[:, :-1],
            teacher.initial_state(4),
        )
        np.testing.assert_allclose(
            batch.teacher_values[:, 0], values[..., 0], rtol=1e-4, atol=1e-5
        )
        self.assertGreater(np.std(values), 0.01)
        differences = [metrics["value_difference"] for metrics in trained.metrics]
        self.assertLess(np.mean(differences[-5:]), np.mean(differences[:5]) / 2)

    def test_nothing_is_paid_where_it_is_off(self):
        run = self._config(cost=0.0)
        run = dataclasses.replace(run, total_frames=32)
        trained = self._train(run)
        self.assertNotIn("value_distillation_loss", trained.metrics[0])
        self.assertEqual(trained.batches[0].teacher_values.size, 0)
        self.assertEqual(trained.batches[0].teacher_mask.min(), 1)
        example = trajectory_example.example(run, small_teachers.SPEC)
        without = example._replace(teacher_values=())
        self.assertEqual(_size(example), _size(without))


def _size(trajectory: trajectory_lib.Trajectory) -> int:
    return sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(trajectory))


if __name__ == "__main__":
    absltest.main()
