"""A teacher plays as its policy says, and its returns are those of its episodes."""

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.acting import evaluator
from kickstarting.agent import trajectory
from kickstarting.environments import suites
from kickstarting.teaching import cards, teachers
from kickstarting.teaching import trials as teacher_trials
from launch.reports import policies
from tests.launch import program_run

_TASK = program_run.GRID


class _Forward:
    """Goes forward always, and counts in its state the steps of each episode."""

    def __init__(self, forward: int) -> None:
        self.action_names = suites.environment_spec(_TASK, 1).action_names
        self.counts: list[np.ndarray] = []
        self._forward = forward

    def initial_state(self, batch_size):
        return np.zeros(batch_size, np.int32)

    def label(self, observation, first, state):
        state = np.where(first[:, 0], 0, state) + 1
        self.counts.append(state)
        logits = np.full((*first.shape, len(self.action_names)), -1e9, np.float32)
        logits[..., self._forward] = 0.0
        return logits, state


class _Away(_Forward):
    def label(self, observation, first, state):
        raise KeyError("away")


class TeacherTrialsTest(parameterized.TestCase):
    def test_it_plays_what_its_policy_says(self):
        names = suites.environment_spec(_TASK, 1).action_names
        teacher = _Forward(names.index("forward"))
        summary = teacher_trials.measure(
            teacher, _TASK, num_episodes=2, seed=1, action_repeat=1
        )
        # Straight on it meets a wall and stays there until the time limit.
        assert summary is not None
        self.assertEqual((summary.mean, summary.episodes), (0.0, 2))
        # One that has ended is computed with the other, to no effect.
        self.assertIn(np.max(teacher.counts), (4 * 5 * 5, 4 * 5 * 5 + 1))

    def test_it_takes_only_what_is_available(self):
        player = teacher_trials.TeacherPlayer(_Forward(forward=0), seed=1)
        available = np.zeros((3, len(player.action_names)), bool)
        available[[0, 1, 2], [0, 4, 2]] = True
        observation = trajectory.Observation(*(np.zeros(3, np.int32),) * 4)
        actions, _ = player.act(
            observation,
            np.ones(3, bool),
            available,
            player.initial_state(3),
            np.arange(3),
            np.zeros(3, np.int32),
        )
        np.testing.assert_array_equal(actions, [0, 4, 2])

    def test_a_teacher_that_fails_is_one_line(self):
        with self.assertRaisesRegex(cards.TeacherError, "^raised KeyError .*away.*$"):
            teacher_trials.measure(
                _Away(forward=0), _TASK, num_episodes=1, seed=1, action_repeat=1
            )

    def test_a_checkpoint_plays_as_its_agent_does(self):
        folder = self.create_tempdir().full_path + "/teacher"
        program_run.save_random_teacher(folder)
        teacher, policy = teachers.CheckpointTeacher(folder), policies.load(folder)
        arguments = {"num_episodes": 3, "seed": 5, "action_repeat": 1}
        measured = teacher_trials.measure(teacher, _TASK, **arguments)
        player = evaluator.AgentPlayer(policy.agent, policy.params, 5, False)
        played = evaluator.evaluate(_TASK, player, **arguments)
        assert measured is not None
        self.assertAlmostEqual(measured.mean, played.returns.mean(), places=6)


if __name__ == "__main__":
    absltest.main()
