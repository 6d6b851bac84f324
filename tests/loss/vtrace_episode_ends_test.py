"""The loss where episodes end, by hand: terminations, truncations, crossings."""

import functools

import jax
import numpy as np
from absl.testing import absltest

from kickstarting.agent import trajectory as trajectory_lib
from tests import jitted_loss, loss_reference


class EpisodeEndTest(absltest.TestCase):
    """One unroll, on policy, worked by hand: reward 1, 2, 3, 4 and values 10..50."""

    def _unroll(self, discount, first):
        output, trajectory = jax.tree.map(
            lambda x: x[:1], loss_reference.random_unrolls(length=4)[:2]
        )
        logits = np.zeros_like(output.logits)
        return trajectory_lib.AgentOutput(
            logits, np.float32([10, 20, 30, 40, 50])[None, :, None]
        ), trajectory._replace(
            behaviour_logits=logits[:, :-1],
            reward=np.array([[1, 2, 3, 4]], np.float32),
            discount=np.array([discount], np.float32),
            first=np.array([first]),
        )

    def test_episode_goes_on(self):
        output, trajectory = self._unroll([1, 1, 1, 1], [False] * 5)
        expected = [1 + 0.9 * (2 + 0.9 * (3 + 0.9 * (4 + 0.9 * 50)))]
        expected += [2 + 0.9 * (3 + 0.9 * 49), 3 + 0.9 * 49, 49.0, 50.0]
        np.testing.assert_allclose(
            jitted_loss.targets(output, trajectory)[0], expected, rtol=1e-5
        )

    def test_termination_bootstraps_from_nothing(self):
        output, trajectory = self._unroll(
            [1, 0, 1, 1], [False, False, True, False, False]
        )
        np.testing.assert_allclose(
            jitted_loss.targets(output, trajectory)[0],
            [1 + 0.9 * 2, 2, 3 + 0.9 * 49, 49, 50],
            rtol=1e-5,
        )

    def test_truncation_bootstraps_from_the_last_observation(self):
        # Step 1 ends the episode; observation 2 is its last; step 2 only crosses.
        output, trajectory = self._unroll(
            [1, 1, 1, 1], [False, False, False, True, False]
        )
        np.testing.assert_allclose(
            jitted_loss.targets(output, trajectory)[0],
            [1 + 0.9 * (2 + 0.9 * 30), 2 + 0.9 * 30, 30, 49, 50],
            rtol=1e-5,
        )

    def test_truncation_at_the_end_of_the_unroll(self):
        output, trajectory = self._unroll(
            [1, 1, 1, 1], [False, False, False, False, True]
        )
        np.testing.assert_allclose(
            jitted_loss.targets(output, trajectory)[0],
            [
                1 + 0.9 * (2 + 0.9 * (3 + 0.9 * 40)),
                2 + 0.9 * (3 + 0.9 * 40),
                3 + 0.9 * 40,
                40,
                50,
            ],
            rtol=1e-5,
        )

    def test_nothing_flows_back_over_a_boundary(self):
        for discount in (0.0, 1.0):
            output, trajectory = self._unroll(
                [1, 1, discount, 1], [False, False, False, True, False]
            )
            before = jitted_loss.targets(output, trajectory)[0]
            value = output.value + np.float32([0, 0, 0, 7, 9])[None, :, None]
            reward = trajectory.reward + np.array([[0, 0, 0, 5]], np.float32)
            after = jitted_loss.targets(
                output._replace(value=value), trajectory._replace(reward=reward)
            )[0]
            np.testing.assert_allclose(after[:3], before[:3], rtol=1e-5)
            self.assertGreater(abs(after[3] - before[3]), 1.0)

    def test_crossing_step_counts_nowhere(self):
        output, trajectory = self._unroll(
            [1, 1, 1, 1], [False, False, False, True, False]
        )
        hyperparameters = loss_reference.random_unrolls()[2]
        changed_output = output._replace(logits=output.logits.copy())
        changed_output.logits[0, 2] = [3.0, -1.0, 0.0, 2.0]
        changed = trajectory._replace(
            reward=trajectory.reward + np.array([[0, 0, 100, 0]], np.float32),
            action=(trajectory.action + np.array([[0, 0, 1, 0]], np.int32)) % 4,
        )
        one = jitted_loss.loss(output, trajectory, hyperparameters, jitted_loss.CONFIG)
        other = jitted_loss.loss(
            changed_output, changed, hyperparameters, jitted_loss.CONFIG
        )
        jax.tree.map(
            functools.partial(np.testing.assert_allclose, rtol=1e-6), one, other
        )


if __name__ == "__main__":
    absltest.main()
