"""Expected entropy regularised distillation is the gradient of one function."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from kickstarting.agent import trajectory as trajectory_lib
from kickstarting.loss import distillation
from tests import jitted_loss, loss_reference

_ACTIONS, _LENGTH, _WEIGHT = 2, 3, 0.7
_CONFIG = dataclasses.replace(
    jitted_loss.CONFIG,
    distillation_form="expected_entropy",
    reinforcement=False,
)


def _states(actions: np.ndarray) -> np.ndarray:
    """A state for each sequence of actions so far, int [T] of actions int [T]."""
    states, state = [], 0
    for action in actions:
        states.append(state)
        state = 2 * state + 1 + action
    return np.array(states)


class ExpectedEntropyTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(0)
        shape = (2**_LENGTH - 1, _ACTIONS)
        self.student = jnp.asarray(random.normal(size=shape), jnp.float32)
        self.teacher = jnp.asarray(2 * random.normal(size=shape), jnp.float32)

    def _loss(self, table: jax.Array, actions, states, rewards) -> jax.Array:
        """The learner's loss of one whole episode, acted by `self.student`."""
        _, unrolls, hyperparameters = loss_reference.random_unrolls(
            actions=_ACTIONS, teachers=1, tasks=1
        )
        trajectory = jax.tree.map(lambda x: x[:1], unrolls)._replace(
            action=actions[None],
            reward=rewards[None],
            discount=np.float32([[1, 1, 0]]),
            first=np.array([[True, False, False, True]]),
            available_actions=np.ones((1, _LENGTH + 1, _ACTIONS), bool),
            behaviour_logits=self.student[states][None],
            teacher_logits=self.teacher[states][None, None],
            teacher_mask=np.ones((1, 1, _LENGTH), np.float32),
            teacher_values=np.zeros((1, 0, _LENGTH), np.float32),
        )
        logits = jnp.concatenate([table[states], jnp.zeros((1, _ACTIONS))])
        output = trajectory_lib.AgentOutput(
            logits[None], jnp.zeros((1, _LENGTH + 1, 1))
        )
        hyperparameters = hyperparameters._replace(
            kickstarting_weight=np.full((1, 1), _WEIGHT, np.float32),
            discount=np.float32(1.0),
        )
        total, _ = jitted_loss.total_and_metrics(
            output, trajectory, hyperparameters, _CONFIG
        )
        return total

    def _expected(self, function) -> jax.Array:
        """Sums over all episodes, each weighed by how likely the student acts it."""
        total = 0.0
        for episode in itertools.product(range(_ACTIONS), repeat=_LENGTH):
            actions = np.array(episode)
            log_student = jax.nn.log_softmax(self.student)[_states(actions), actions]
            total += jnp.exp(log_student.sum()) * function(actions)
        return total

    def test_gradient_is_that_of_the_teachers_likelihood(self):
        rewards = np.float32([3.0, -2.0, 5.0])
        gradient = jax.jit(jax.grad(self._loss))
        update = self._expected(
            lambda actions: gradient(
                self.student, actions.astype(np.int32), _states(actions), rewards
            )
        )

        def objective(table):
            """E over the student's trajectories of Σ_t −log T(a_t | x_t)."""
            total = 0.0
            for episode in itertools.product(range(_ACTIONS), repeat=_LENGTH):
                actions = np.array(episode)
                at = _states(actions), actions
                likelihood = jnp.exp(jax.nn.log_softmax(table)[at].sum())
                total -= likelihood * jax.nn.log_softmax(self.teacher)[at].sum()
            return _WEIGHT * total

        by_student = jax.jit(jax.grad(objective))(self.student)
        np.testing.assert_allclose(update, by_student, atol=1e-5)

    def test_cross_entropy_is_no_such_gradient(self):
        """Theorem 1: its Jacobian is not symmetric, that of a gradient would be."""

        def jacobian(form):
            def update(table):
                total = jnp.zeros_like(table)
                for episode in itertools.product(range(_ACTIONS), repeat=_LENGTH):
                    actions = np.array(episode)
                    at = _states(actions), actions
                    log_student = jax.nn.log_softmax(table)[at]
                    likelihood = jnp.exp(log_student.sum())
                    own = jax.grad(
                        lambda t, states=at[0]: jnp.sum(
                            distillation.loss(
                                self.teacher[states], t[states], form, 1.0
                            )
                        )
                    )(table)
                    total += likelihood * own
                return total.reshape(-1)

            size = self.student.size
            return jax.jit(jax.jacobian(update))(self.student).reshape(size, size)

        found = jacobian("cross_entropy")
        self.assertGreater(float(jnp.abs(found - found.T).max()), 1e-3)

    def test_rewards_by_hand(self):
        teacher = np.log(np.float32([[[0.5, 0.5], [0.2, 0.8], [0.6, 0.4], [0.9, 0.1]]]))
        reward = distillation.next_action_reward(
            teacher,
            np.float32([[1, 1, 0, 1]]),
            np.float32([2.0]),
            np.int32([0, 1, 1, 0]),
            np.float32([0, 1, 1, 1]),
            1.0,
        )
        # Of the third step no teacher said anything; after the last one is no step.
        np.testing.assert_allclose(
            reward, [2 * np.log(0.8), 0, 2 * np.log(0.9), 0], rtol=1e-5, atol=1e-6
        )

    def test_no_reward_over_an_episodes_end(self):
        reward = distillation.next_action_reward(
            np.zeros((1, 3, 2), np.float32),
            np.ones((1, 3), np.float32),
            np.ones(1, np.float32),
            np.zeros(3, np.int32),
            np.float32([0, 0, 1]),
            1.0,
        )
        np.testing.assert_allclose(reward, [0, np.log(0.5), 0], rtol=1e-5)


if __name__ == "__main__":
    absltest.main()
