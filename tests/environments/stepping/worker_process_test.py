"""Tests of the worker's side: what an episode's steps become."""

import jax
import numpy as np
from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from kickstarting.agent import trajectory
from kickstarting.config import run as config_lib
from kickstarting.environments import base
from kickstarting.environments.stepping import batch, shared_memory, worker_process
from tests.environments import scripted


def _stepper(
    bootstrap_time_limit: bool = True, waits_at_ends: bool = False, **script: float
) -> worker_process.EpisodeStepper:
    settings = base.TaskSettings(scripted.task(**script), seed=0)
    return worker_process.EpisodeStepper(
        scripted.make(settings), bootstrap_time_limit, waits_at_ends
    )


class EpisodeStepperTest(absltest.TestCase):
    def test_termination_already_shows_the_next_episode(self) -> None:
        stepper = _stepper(length=2, one_action=True)
        opening = stepper.reset()
        np.testing.assert_array_equal(opening.available_actions, [1, 0])
        np.testing.assert_array_equal(stepper.step(1).available_actions, [0, 1])
        outcome = stepper.step(1)
        np.testing.assert_array_equal(outcome.available_actions, [1, 0])
        self.assertEqual(outcome.observation[base.PIXELS].max(), 0)
        self.assertTrue(outcome.first)
        self.assertTrue(outcome.ended)
        self.assertEqual((outcome.reward, outcome.discount), (1.0, 0.0))
        self.assertEqual((outcome.episode_return, outcome.episode_steps), (2.0, 2))

    def test_truncation_shows_the_last_observation_and_then_crosses(self) -> None:
        stepper = _stepper(length=3, truncation=True, one_action=True)
        stepper.reset()
        stepper.step(1)
        stepper.step(1)
        last = stepper.step(1)
        self.assertEqual(last.observation[base.PIXELS].max(), 3)
        np.testing.assert_array_equal(last.available_actions, [0, 1])
        self.assertFalse(last.first)
        self.assertTrue(last.ended)
        self.assertEqual((last.reward, last.discount), (1.0, 1.0))
        crossing = stepper.step(1)
        self.assertEqual(crossing.observation[base.PIXELS].max(), 0)
        np.testing.assert_array_equal(crossing.available_actions, [1, 0])
        self.assertTrue(crossing.first)
        self.assertFalse(crossing.ended)
        self.assertEqual((crossing.reward, crossing.discount), (0.0, 1.0))

    def test_a_time_limit_that_is_part_of_the_task_terminates(self) -> None:
        whole, ending = (
            _stepper(length=2, truncation=truncation, bootstrap_time_limit=False)
            for truncation in (False, True)
        )
        for action in (None, 1, 0, 1, 1):
            one, other = (
                stepper.reset() if action is None else stepper.step(action)
                for stepper in (whole, ending)
            )
            jax.tree.map(np.testing.assert_array_equal, other, one)

    def test_an_end_may_be_handed_over_before_the_next_episode_is_opened(self) -> None:
        stepper = _stepper(length=2, waits_at_ends=True)
        stepper.reset()
        stepper.step(1)
        last = stepper.step(1)
        self.assertEqual(last.observation[base.PIXELS].max(), 2)
        self.assertEqual((last.first, last.ended), (False, True))
        self.assertEqual((last.reward, last.discount), (1.0, 0.0))
        self.assertEqual((last.episode_return, last.episode_steps), (2.0, 2))
        opening = stepper.step(1)
        self.assertEqual((opening.first, opening.ended), (True, False))
        self.assertEqual(opening.observation[base.PIXELS].max(), 0)

    def test_an_episode_is_left_where_the_next_one_is_asked_for(self) -> None:
        stepper = _stepper(length=3)
        stepper.reset()
        stepper.step(1)
        opening = stepper.step(batch.OPEN_EPISODE)
        self.assertEqual((opening.first, opening.ended), (True, False))
        self.assertEqual((opening.reward, opening.discount), (0.0, 1.0))
        last = [stepper.step(1) for _ in range(3)][-1]
        self.assertEqual((last.episode_return, last.episode_steps), (3.0, 3))

    @settings(deadline=None)
    @given(st.lists(st.integers(0, 1), max_size=40), st.integers(1, 6), st.booleans())
    def test_episodes_account_for_every_reward(
        self, actions: list[int], length: int, truncation: bool
    ) -> None:
        stepper = _stepper(length=length, truncation=truncation)
        outcomes = [stepper.reset(), *(stepper.step(each) for each in actions)]
        crossing = trajectory.is_crossing(
            np.array([each.discount for each in outcomes[1:]]),
            np.array([each.first for each in outcomes]),
        )
        expected = np.array(actions, float)[~crossing.astype(bool)]
        rewards = np.array([each.reward for each in outcomes[1:]])
        np.testing.assert_array_equal(rewards[~crossing.astype(bool)], expected)
        np.testing.assert_array_equal(rewards[crossing.astype(bool)], 0)
        ended = [each for each in outcomes if each.ended]
        self.assertLen(ended, len(expected) // length)
        for number, outcome in enumerate(ended):
            self.assertEqual(outcome.episode_steps, length)
            episode = expected[number * length : (number + 1) * length]
            self.assertEqual(outcome.episode_return, episode.sum())


class OrderTest(absltest.TestCase):
    def test_survives_its_json(self) -> None:
        order = worker_process.Order(
            settings=base.TaskSettings(
                "dmlab30:rooms_watermaze",
                3,
                4,
                held_out=True,
                lab=config_lib.LabConfig(action_set="extended", dataset_path="dummy"),
            ),
            factory="module:function",
            layout=shared_memory.Layout(2, 3, 4, (72, 96, 3), 5, 9),
            index=1,
        )
        self.assertEqual(worker_process.Order.from_json(order.to_json()), order)


if __name__ == "__main__":
    absltest.main()
