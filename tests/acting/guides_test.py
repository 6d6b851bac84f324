"""Acting teachers: whose turn it is, and that each follows its episodes alone."""

import dataclasses
import os
from typing import Any

import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.acting import guides
from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import agent as agent_config
from kickstarting.config import run as config
from kickstarting.teaching import files as teacher_files
from kickstarting.teaching import teachers
from tests import counting_environment, small_ring, teacher_card

SPEC = counting_environment.SPEC
TEACHERS = (("test:counting", "any"),)
LENGTH = 12


def setUpModule():
    small_ring.compile_quickly()


def _kickstarting(use: str, **fields: Any) -> config.KickstartingConfig:
    settings = {"guided_steps": 5, "guided_end_frames": 100, **fields}
    return config.KickstartingConfig(
        teachers=TEACHERS, use=use, schedule="constant", **settings
    )


class CountingTeacher:
    """Says how many steps of the episode it has seen; remembers which it was asked."""

    action_names = SPEC.action_names

    def __init__(self) -> None:
        self.calls = 0

    def initial_state(self, batch_size: int) -> dict[str, np.ndarray]:
        return {"steps": np.zeros(batch_size, np.int32)}

    def label(
        self,
        observation: trajectory.Observation,
        first: np.ndarray,
        state: dict[str, np.ndarray],
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        self.calls += 1
        logits = np.zeros((*first.shape, SPEC.num_actions), np.float32)
        steps = np.where(first[:, 0], 0, state["steps"])
        logits[:, 0, 1] = steps
        logits[:, 0, 2] = observation.last_action[:, 0]
        return logits, {"steps": steps + 1}


class _NotFinite(CountingTeacher):
    def label(self, observation, first, state):
        logits, state = super().label(observation, first, state)
        return logits * np.nan, state


def _act(guide: guides.Guide, environments, first, frames: int = 0):
    """Asks about blank observations."""
    n = len(environments)
    observation = trajectory.Observation(
        np.zeros((n, *SPEC.frame_shape), np.uint8),
        np.zeros((n, 0), np.int32),
        np.asarray(environments, np.int32),
        np.zeros(n, np.float32),
    )
    return guide.guidance(
        np.array(environments, np.int32), observation, np.array(first, bool), frames
    )


class ShareTest(parameterized.TestCase):
    @parameterized.parameters((0, 1.0), (25, 0.75), (50, 0.5), (100, 0.0), (500, 0.0))
    def test_daggers_share_falls_linearly(self, frames, share):
        given = guides.teacher_share(_kickstarting("dagger"), frames, np.arange(3))
        np.testing.assert_allclose(given, np.full(3, share, np.float32))
        self.assertEqual(given.dtype, np.float32)

    @parameterized.parameters((0, 5), (19, 5), (20, 4), (50, 3), (99, 1), (100, 0))
    def test_a_jump_start_is_shorter_and_shorter(self, frames, steps):
        given = guides.teacher_share(_kickstarting("jump_start"), frames, np.arange(8))
        np.testing.assert_array_equal(given, np.arange(8) < steps)

    def test_the_teacher_that_is_cloned_always_acts(self):
        cloning = _kickstarting("behaviour_cloning", guided_end_frames=0)
        given = guides.teacher_share(cloning, 10**9, np.arange(3))
        np.testing.assert_array_equal(given, np.ones(3))


class GuideTest(parameterized.TestCase):
    def _guide(self, use: str, of_environment=("a", "a"), **by_name) -> guides.Guide:
        self.teacher = CountingTeacher()
        return guides.Guide(
            _kickstarting(use),
            SPEC.num_actions,
            {"a": self.teacher, **by_name},
            of_environment,
        )

    def test_where_a_teacher_is_not_finite_the_student_acts_and_that_is_counted(self):
        guide = self._guide("behaviour_cloning", ("a", "b"), b=_NotFinite())
        with self.assertLogs(level="WARNING"):
            given = _act(guide, [0, 1], [1, 1])
        np.testing.assert_array_equal(given.share, [1, 0])
        self.assertTrue(np.isfinite(given.logits).all())
        self.assertEqual(guide.counters()["unguided_steps"], 1)

    def test_a_first_step_resets_one_environment(self):
        guide = self._guide("behaviour_cloning")
        given = [
            _act(guide, [0, 1], first).logits[:, 1].tolist()
            for first in ([1, 1], [0, 0], [0, 1], [0, 0])
        ]
        self.assertEqual(given, [[0, 0], [1, 1], [2, 0], [3, 1]])

    def test_each_environment_has_its_own_teacher_or_none(self):
        other = CountingTeacher()
        guide = self._guide("behaviour_cloning", ("a", None, "b", "a"), b=other)
        _act(guide, [2], [1])
        guidance = _act(guide, [3, 1, 2, 0], [1, 1, 0, 1])
        np.testing.assert_array_equal(guidance.share, [1, 0, 1, 1])
        np.testing.assert_array_equal(
            guidance.logits, [[0, 0, 3], [0, 0, 0], [0, 1, 2], [0, 0, 0]]
        )
        # Batched over the environments that are ready.
        self.assertEqual((self.teacher.calls, other.calls), (1, 2))

    def test_a_jump_start_hands_over_within_an_episode(self):
        guide = self._guide("jump_start", ("a",))
        for step in range(8):
            guidance = _act(guide, [0], [step == 0])
            self.assertEqual(guidance is not None, step < 5)
        self.assertEqual(self.teacher.calls, 5)
        self.assertEqual(_act(guide, [0], [1]).logits[0, 1], 0)

    def test_one_that_was_handed_over_does_not_hold_up_the_other(self):
        guide = self._guide("jump_start")
        for step in range(5):
            _act(guide, [0], [step == 0])
        guidance = _act(guide, [0, 1], [0, 1])
        np.testing.assert_array_equal(guidance.share, [0, 1])

    def test_guided_episodes_are_left_out_and_counted(self):
        guide = self._guide("jump_start")
        both = np.array([0, 1])
        _act(guide, [0, 1], [1, 1], frames=99)
        for _ in range(3):
            _act(guide, [0, 1], [0, 0], frames=99)
        # The teacher only began them.
        self.assertEmpty(guide.without_guided(both))
        _act(guide, [0, 1], [1, 0], frames=100)
        np.testing.assert_array_equal(guide.without_guided(both), [0])
        self.assertEqual(guide.counters(), {"guided_episodes": 3})

    @parameterized.parameters("dagger", "jump_start")
    def test_nobody_is_asked_after_the_end(self, use):
        guide = self._guide(use)
        self.assertIsNotNone(_act(guide, [0, 1], [1, 1], frames=99))
        for first in ([0, 0], [1, 1], [0, 0]):
            self.assertIsNone(_act(guide, [0, 1], first, frames=100))
        self.assertEqual(self.teacher.calls, 1)
        self.assertEmpty(guide._states)
        np.testing.assert_array_equal(guide.without_guided(np.array([1, 0])), [1, 0])


class CheckpointTeacherTest(absltest.TestCase):
    def _teacher(self, core_size: int) -> teachers.CheckpointTeacher:
        network = agent_config.NetworkConfig(core_size=core_size)
        agent = Agent(SPEC, network)
        card = dataclasses.replace(
            teacher_card.CARD,
            action_names=SPEC.action_names,
            frame_shape=SPEC.frame_shape,
            action_repeat=1,
            network=network,
        )
        folder = os.path.join(self.create_tempdir().full_path, "teacher")
        params = small_ring.unravel(
            agent, small_ring.random_parameters(agent, core_size)
        )
        teacher_files.save_teacher(folder, params, card)
        return teachers.CheckpointTeacher(folder)

    def test_step_by_step_among_others_is_as_one_pass_alone(self):
        by_name = {"small": self._teacher(8), "large": self._teacher(12)}
        of_environment = ("small", "large", "small", "small")
        guide = guides.Guide(
            _kickstarting("behaviour_cloning"),
            SPEC.num_actions,
            by_name,
            of_environment,
        )
        size = len(of_environment)
        run = small_ring.small_config(unroll_length=LENGTH, batch_size=size)
        unrolls = small_ring.random_batch(run, SPEC, seed=1)
        random = np.random.default_rng(2)
        first = random.random((size, LENGTH)) < 0.3
        first[:, 0] = True
        observation = jax.tree.map(lambda x: x[:, :-1], unrolls.observation)
        done = np.zeros(size, np.int64)
        logits = np.zeros((size, LENGTH, SPEC.num_actions), np.float32)
        # Whoever happens to be ready goes one step on.
        while (done < LENGTH).any():
            ready = np.flatnonzero((random.random(size) < 0.6) & (done < LENGTH))
            at = ready, done[ready]
            guidance = guide.guidance(
                ready, jax.tree.map(lambda x, at=at: x[at], observation), first[at], 0
            )
            if guidance is not None:
                logits[at] = guidance.logits
            done[ready] += 1
        for environment, name in enumerate(of_environment):
            own = slice(environment, environment + 1)
            alone, _ = by_name[name].label(
                jax.tree.map(lambda x, own=own: x[own], observation),
                first[own],
                by_name[name].initial_state(1),
            )
            np.testing.assert_allclose(
                logits[environment], alone[0], rtol=1e-4, atol=1e-5
            )


if __name__ == "__main__":
    absltest.main()
