"""Which episodes the evaluator plays: how they end, are opened, and are resumed."""

import pathlib
from collections.abc import Sequence
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.acting import evaluator
from kickstarting.acting.episodes import Episode
from kickstarting.environments import base, suites
from kickstarting.environments.stepping import workers
from tests import small_ring
from tests.environments import scripted

_ENDLESS = 10**9


class _AlwaysOne:
    """Takes action 1, whose reward is 1, and remembers the steps that it was told."""

    action_names = scripted.SPEC.action_names

    def __init__(self) -> None:
        self.steps: list[np.ndarray] = []

    def initial_state(self, count: int) -> np.ndarray:
        return np.zeros(count)

    def act(self, observation, first, available_actions, state, environments, steps):
        del observation, available_actions, environments
        self.steps.append(steps.copy())
        return np.ones(len(first), np.int32), state


def _make_batch(
    settings: Sequence[base.TaskSettings], num_slots: int, unroll_length: int
) -> workers.WorkerBatch:
    return workers.WorkerBatch(
        settings, scripted.SPEC, num_slots, unroll_length, f"{scripted.__name__}:make"
    )


def setUpModule():
    small_ring.compile_quickly()


class EvaluatorEpisodesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.object(suites, "make_batch", _make_batch))
        self.kept: list[Episode] = []
        self.said: list[str] = []

    def _evaluate(self, task: str, player=None, **arguments):
        defaults = {"num_episodes": 5, "num_environments": 2}
        return evaluator.evaluate(
            task,
            player or _AlwaysOne(),
            seed=0,
            action_repeat=1,
            keep=self.kept.append,
            say=self.said.append,
            **{**defaults, **arguments},
        )

    @parameterized.product(length=(1, 4), truncation=(False, True))
    def test_as_many_are_opened_as_are_played(self, length, truncation):
        resets = pathlib.Path(self.create_tempfile().full_path)
        episodes = self._evaluate(
            scripted.task(
                length=length,
                truncation=truncation,
                resets=str(resets),
                reset_seconds=0.02,
            )
        )
        np.testing.assert_array_equal(episodes.agent_steps, [length] * 5)
        np.testing.assert_array_equal(episodes.returns, [length] * 5)
        self.assertLen(resets.read_text().splitlines(), 5)

    def test_one_that_does_not_end_is_cut_and_counts(self):
        resets = pathlib.Path(self.create_tempfile().full_path)
        task = scripted.task(length=_ENDLESS, resets=str(resets))
        episodes = self._evaluate(task, max_agent_steps=7)
        np.testing.assert_array_equal(episodes.agent_steps, [7] * 5)
        np.testing.assert_array_equal(episodes.returns, [7.0] * 5)
        np.testing.assert_array_equal(episodes.cut, [True] * 5)
        self.assertLen(resets.read_text().splitlines(), 5)
        (line,) = self.said
        self.assertIn("has not ended after 7 agent steps", line)

    def test_one_that_ends_at_the_limit_is_not_cut(self):
        episodes = self._evaluate(scripted.task(length=7), max_agent_steps=7)
        np.testing.assert_array_equal(episodes.agent_steps, [7] * 5)
        self.assertFalse(episodes.cut.any())
        self.assertEmpty(self.said)

    def test_it_goes_on_with_what_is_missing(self):
        task = scripted.task(length=3)
        resets = pathlib.Path(self.create_tempfile().full_path)
        self._evaluate(task, should_stop=lambda: bool(self.kept))
        earlier = list(self.kept)
        player, done = _AlwaysOne(), []
        again = scripted.task(length=3, resets=str(resets))
        episodes = self._evaluate(
            again,
            player,
            earlier=earlier,
            watch=lambda finished, steps: done.append((finished, steps)),
        )
        np.testing.assert_array_equal(episodes.agent_steps, [3] * 5)
        # Each is opened from a seed that has opened none before.
        seeds = resets.read_text().splitlines()
        self.assertLen(seeds, 5 - len(earlier))
        self.assertNotIn(str(earlier[0].environment), seeds)
        self.assertGreaterEqual(done[0][0], len(earlier))
        self.assertEqual(done[-1], (5, 15))
        # Nor is the sampling's noise the same.
        self.assertEqual(player.steps[0].max(), 3)
        self.assertEqual(
            sorted(each.environment for each in self.kept), [0, 0, 0, 1, 1]
        )

    def test_what_is_complete_is_not_played(self):
        earlier = [Episode(number, 1.5, 2, False) for number in (1, 0, 0, 0, 1, 0)]
        with mock.patch.object(suites, "make_batch", side_effect=AssertionError):
            episodes = self._evaluate("gym:any", earlier=earlier)
        np.testing.assert_array_equal(episodes.returns, [1.5] * 5)


if __name__ == "__main__":
    absltest.main()
