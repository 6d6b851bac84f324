"""The loss against the papers' equations in NumPy, and worked examples by hand."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.agent import trajectory as trajectory_lib
from kickstarting.loss import popart, running_moments, vtrace
from tests import jitted_loss, loss_reference, small_ring

# Compiled: each operation on its own would be, for every new shape.
_loss = jax.jit(vtrace.loss, static_argnums=5)
_loss_and_gradient = jax.jit(
    jax.value_and_grad(vtrace.loss, has_aux=True), static_argnums=5
)


def setUpModule():
    small_ring.compile_quickly()


class LossTest(parameterized.TestCase):
    @parameterized.parameters(
        (0, 1.0, 0.0, False),
        (1, 1.0, 0.1, False),
        (2, 1.0, 0.0, True),
        (0, 0.9, 0.2, True),
        (1, 0.0, 0.0, False),
        (3, 0.9, 0.2, True, False),
    )
    def test_equals_numpy(
        self,
        seed,
        vtrace_lambda,
        policy_clip,
        advantage_normalisation,
        all_available=True,
    ):
        config = dataclasses.replace(
            jitted_loss.CONFIG,
            vtrace_lambda=vtrace_lambda,
            policy_clip=policy_clip,
            advantage_normalisation=advantage_normalisation,
        )
        output, trajectory, hyperparameters = loss_reference.random_unrolls(
            seed, all_available=all_available
        )
        expected, targets = loss_reference.numpy_loss(
            output, trajectory, hyperparameters, config
        )
        total, metrics = jitted_loss.loss(output, trajectory, hyperparameters, config)
        num_steps = trajectory.action.size - 3  # Those that cross a boundary.
        for name, value in expected.items():
            np.testing.assert_allclose(
                metrics[f"{name}_loss"] * num_steps, value, rtol=1e-4, err_msg=name
            )
        np.testing.assert_allclose(total, sum(expected.values()), rtol=1e-4)
        np.testing.assert_allclose(
            jitted_loss.targets(output, trajectory, config)[:, :-1],
            targets,
            rtol=1e-4,
            atol=1e-4,
        )

    def test_policy_clip_changes_nothing_on_policy(self):
        output, trajectory, hyperparameters = loss_reference.random_unrolls(12)
        trajectory = trajectory._replace(behaviour_logits=output.logits[:, :-1])
        config = dataclasses.replace(jitted_loss.CONFIG, policy_clip=0.01)
        clipped, metrics = jitted_loss.loss(output, trajectory, hyperparameters, config)
        whole, _ = jitted_loss.loss(
            output, trajectory, hyperparameters, jitted_loss.CONFIG
        )
        self.assertEqual(float(clipped), float(whole))
        self.assertEqual(float(metrics["policy_clip_fraction"]), 0.0)

    def test_policy_clip_is_the_gradient_of_the_clipped_objective(self):
        """PPO's min(r A, clip(r) A) by r, where r is the ratio and A the advantage."""
        output, trajectory, hyperparameters = loss_reference.random_unrolls(13)
        hyperparameters = hyperparameters._replace(
            entropy_cost=np.float32(0.0),
            kickstarting_weight=np.zeros_like(hyperparameters.kickstarting_weight),
        )
        config = dataclasses.replace(jitted_loss.CONFIG, policy_clip=0.5)
        whole = jitted_loss.gradient(
            output, trajectory, hyperparameters, jitted_loss.CONFIG
        ).logits
        clipped = jitted_loss.gradient(
            output, trajectory, hyperparameters, config
        ).logits
        taken = trajectory.action[..., None]
        ratio = (
            np.take_along_axis(
                loss_reference.softmax(output.logits[:, :-1]), taken, axis=-1
            )
            / np.take_along_axis(
                loss_reference.softmax(trajectory.behaviour_logits), taken, axis=-1
            )
        )[..., 0]
        # Down the gradient the taken action's logit rises where A > 0.
        advantage = -np.take_along_axis(np.asarray(whole)[:, :-1], taken, -1)[..., 0]

        def objective(ratio):
            bounded = jnp.clip(ratio, 1 / 1.5, 1.5)
            return jnp.sum(jnp.minimum(ratio * advantage, bounded * advantage))

        counts = np.asarray(jax.grad(objective)(jnp.asarray(ratio))) != 0
        self.assertBetween(counts.mean(), 0.2, 0.8)
        np.testing.assert_allclose(
            clipped[:, :-1], np.where(counts[..., None], whole[:, :-1], 0.0), rtol=1e-5
        )

    def test_finds_the_moments_of_its_advantages_over_all_devices(self):
        output, trajectory, hyperparameters = jax.tree.map(
            jnp.asarray, loss_reference.random_unrolls(15, batch=4)
        )

        def moments(output, trajectory, axis_name=None):
            return vtrace.loss(
                output,
                trajectory,
                popart.initial(1),
                jitted_loss.ADVANTAGE_MOMENTS,
                hyperparameters,
                jitted_loss.CONFIG,
                axis_name,
            )[1].advantage_moments

        halves = jax.tree.map(
            lambda x: x.reshape(2, 2, *x.shape[1:]), (output, trajectory)
        )
        found: running_moments.Moments = jax.jit(
            jax.vmap(
                functools.partial(moments, axis_name="devices"), axis_name="devices"
            )
        )(*halves)
        whole = jax.jit(moments)(output, trajectory)
        for device in range(2):
            np.testing.assert_allclose(found.mean[device], whole.mean, rtol=1e-5)
            np.testing.assert_allclose(found.second[device], whole.second, rtol=1e-5)

    def test_loss_is_a_sum(self):
        output, trajectory, hyperparameters = loss_reference.random_unrolls()
        once, _ = jitted_loss.loss(
            output, trajectory, hyperparameters, jitted_loss.CONFIG
        )
        twice, _ = jitted_loss.loss(
            *jax.tree.map(lambda x: np.concatenate([x, x]), (output, trajectory)),
            hyperparameters,
            jitted_loss.CONFIG,
        )
        np.testing.assert_allclose(twice, 2 * once, rtol=1e-5)

    def test_gradient_of_the_policy_logits(self):
        """Policy gradient: ρ̂ A (π − 1_a); entropy and CE in closed form."""
        output, trajectory, hyperparameters = loss_reference.random_unrolls(3)
        gradient = jitted_loss.gradient(
            output, trajectory, hyperparameters, jitted_loss.CONFIG
        ).logits
        policy = loss_reference.softmax(output.logits[:, :-1])
        behaviour = loss_reference.softmax(trajectory.behaviour_logits)
        taken = np.eye(policy.shape[-1])[trajectory.action]
        rho = np.sum(taken * policy, -1) / np.sum(taken * behaviour, -1)
        _, targets = loss_reference.numpy_loss(
            output, trajectory, hyperparameters, jitted_loss.CONFIG
        )
        values = output.value[..., 0]
        next_target = np.concatenate([targets[:, 1:], values[:, -1:]], axis=1)
        advantage = (
            trajectory.reward
            + loss_reference.GAMMA * trajectory.discount * next_target
            - values[:, :-1]
        )
        counted = ~trajectory_lib.is_crossing(trajectory.discount, trajectory.first)
        _, found = _loss(
            output,
            trajectory,
            popart.initial(1),
            jitted_loss.ADVANTAGE_MOMENTS,
            hyperparameters,
            jitted_loss.CONFIG,
        )
        moments, before = found.advantage_moments, jitted_loss.ADVANTAGE_MOMENTS
        np.testing.assert_allclose(
            moments.mean, (before.mean + advantage[counted].mean()) / 2, rtol=1e-4
        )
        np.testing.assert_allclose(
            moments.second, (before.second + advantage[counted].var()) / 2, rtol=1e-4
        )
        entropy = -np.sum(policy * np.log(policy), axis=-1, keepdims=True)
        weight = hyperparameters.kickstarting_weight[trajectory.task][..., None]
        weight = (weight * trajectory.teacher_mask)[..., None]
        expected = (np.minimum(rho, 1) * advantage)[..., None] * (policy - taken)
        expected += hyperparameters.entropy_cost * policy * (np.log(policy) + entropy)
        expected += np.sum(
            weight
            * (policy[:, None] - loss_reference.softmax(trajectory.teacher_logits)),
            axis=1,
        )
        expected[trajectory_lib.is_crossing(trajectory.discount, trajectory.first)] = (
            0.0
        )
        np.testing.assert_allclose(gradient[:, :-1], expected, rtol=1e-3, atol=1e-4)
        np.testing.assert_array_equal(gradient[:, -1], 0.0)

    def test_a_step_that_is_hardly_acted_any_more_is_not_pushed_by_the_mean(self):
        """At ρ near 0 nothing is left of an advantage, whatever the batch's mean is."""
        output, trajectory, hyperparameters = loss_reference.random_unrolls(17)
        hyperparameters = hyperparameters._replace(
            entropy_cost=np.float32(0.0),
            kickstarting_weight=np.zeros_like(hyperparameters.kickstarting_weight),
        )
        taken = np.eye(4, dtype=np.float32)[trajectory.action]
        output.logits[0, :-1] -= 20 * taken[0]
        trajectory.reward[...] -= 5
        config = dataclasses.replace(
            jitted_loss.CONFIG, advantage_normalisation=True, vtrace_lambda=0.0
        )
        gradient = jitted_loss.gradient(output, trajectory, hyperparameters, config)
        np.testing.assert_allclose(gradient.logits[0], 0.0, atol=1e-5)
        self.assertGreater(np.abs(gradient.logits[1]).max(), 1e-2)

    def test_distillation_alone(self):
        output, trajectory, hyperparameters = loss_reference.random_unrolls(4)
        config = dataclasses.replace(jitted_loss.CONFIG, reinforcement=False)
        expected, _ = loss_reference.numpy_loss(
            output, trajectory, hyperparameters, jitted_loss.CONFIG
        )
        total, _ = jitted_loss.loss(output, trajectory, hyperparameters, config)
        np.testing.assert_allclose(total, expected["kickstarting"], rtol=1e-4)
        gradient = jitted_loss.gradient(output, trajectory, hyperparameters, config)
        np.testing.assert_array_equal(gradient.value, 0.0)

    def test_teachers_get_no_gradient(self):
        output, trajectory, hyperparameters = loss_reference.random_unrolls(5)

        def total(teacher_logits):
            changed = trajectory._replace(teacher_logits=teacher_logits)
            return jitted_loss.total_and_metrics(
                output, changed, hyperparameters, jitted_loss.CONFIG
            )[0]

        np.testing.assert_array_equal(
            jax.jit(jax.grad(total))(jnp.asarray(trajectory.teacher_logits)), 0.0
        )

    def test_normalised_values(self):
        """Advantages and errors are those of the values, divided by their scale."""
        output, trajectory, hyperparameters = loss_reference.random_unrolls(11)
        shift, scale = np.float32(3.0), np.float32(4.0)
        moments = (jnp.full(1, x) for x in (shift, shift**2 + scale**2, 100.0))
        statistics = popart.Statistics(
            running_moments.Moments(*moments), jnp.full(1, scale)
        )
        values = scale * output.value + shift
        expected, targets = loss_reference.numpy_loss(
            output._replace(value=values),
            trajectory,
            hyperparameters,
            jitted_loss.CONFIG,
        )
        (_, found), gradient = _loss_and_gradient(
            output,
            trajectory,
            statistics,
            jitted_loss.ADVANTAGE_MOMENTS,
            hyperparameters,
            jitted_loss.CONFIG,
        )
        num_steps = trajectory.action.size - 3
        for name, divisor in (("policy_gradient", scale), ("baseline", scale**2)):
            np.testing.assert_allclose(
                found.metrics[f"{name}_loss"] * num_steps,
                expected[name] / divisor,
                rtol=1e-4,
            )
        counted = ~trajectory_lib.is_crossing(trajectory.discount, trajectory.first)
        of_targets = found.target_moments
        self.assertEqual(of_targets.count, num_steps)
        np.testing.assert_allclose(of_targets.mean, targets[counted].mean(), rtol=1e-4)
        np.testing.assert_allclose(
            of_targets.second, (targets[counted] ** 2).mean(), rtol=1e-4
        )
        np.testing.assert_allclose(
            gradient.value[:, :-1, 0],
            jitted_loss.CONFIG.baseline_cost * (values[:, :-1, 0] - targets) / scale,
            rtol=1e-3,
            atol=1e-4,
        )

    @parameterized.parameters("abs_one", "soft_asymmetric")
    def test_reward_is_clipped_by_the_loss(self, clipping):
        output, trajectory, hyperparameters = loss_reference.random_unrolls(6)
        config = dataclasses.replace(jitted_loss.CONFIG, reward_clipping=clipping)
        reward = trajectory.reward
        if clipping == "abs_one":
            clipped = np.clip(reward, -1, 1)
        else:
            clipped = 5 * np.tanh(reward / 5) * np.where(reward < 0, 0.3, 1)
        total, _ = jitted_loss.loss(output, trajectory, hyperparameters, config)
        expected, _ = jitted_loss.loss(
            output,
            trajectory._replace(reward=clipped.astype(np.float32)),
            hyperparameters,
            jitted_loss.CONFIG,
        )
        np.testing.assert_allclose(total, expected, rtol=1e-4)

    def test_reward_of_each_task_is_scaled_and_then_clipped(self):
        output, trajectory, hyperparameters = loss_reference.random_unrolls(6)
        scales = (("a:0", 5.0), ("a:1", 1.0), ("a:2", 0.2))
        self.assertGreater(len(set(trajectory.task.tolist())), 1)
        total, _ = jitted_loss.loss(
            output,
            trajectory,
            hyperparameters,
            dataclasses.replace(
                jitted_loss.CONFIG, reward_scales=scales, reward_clipping="abs_one"
            ),
        )
        by = np.float32([scale for _, scale in scales])[trajectory.task][:, None]
        expected, _ = jitted_loss.loss(
            output,
            trajectory._replace(reward=np.clip(trajectory.reward * by, -1, 1)),
            hyperparameters,
            jitted_loss.CONFIG,
        )
        np.testing.assert_allclose(total, expected, rtol=1e-4)

    def test_changing_hyperparameters_does_not_recompile(self):
        output, trajectory, _ = jax.tree.map(
            jnp.asarray, loss_reference.random_unrolls()
        )
        compiled = jax.jit(
            functools.partial(jitted_loss.total_and_metrics, config=jitted_loss.CONFIG)
        )
        totals = set()
        for number in (0.0, 0.5, 2.0):
            hyperparameters = trajectory_lib.Hyperparameters(
                *jnp.full((3,), number),
                kickstarting_weight=jnp.full((3, 2), number),
                discount=jnp.float32(number / 2),
            )
            totals.add(float(compiled(output, trajectory, hyperparameters)[0]))
        self.assertEqual(compiled._cache_size(), 1)
        self.assertLen(totals, 3)

    def test_wrong_shapes_are_refused(self):
        output, trajectory, hyperparameters = loss_reference.random_unrolls()
        for wrong in (
            (output._replace(value=output.value[:, 1:]), trajectory, hyperparameters),
            (output, trajectory._replace(first=trajectory.first[1:]), hyperparameters),
            (
                output,
                trajectory,
                hyperparameters._replace(kickstarting_weight=np.ones((3, 1))),
            ),
        ):
            with self.assertRaises(AssertionError):
                jitted_loss.total_and_metrics(*wrong, jitted_loss.CONFIG)


if __name__ == "__main__":
    absltest.main()
