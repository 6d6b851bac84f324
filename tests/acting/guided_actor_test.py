"""An actor whose teachers act: what it writes is the policy that really acted."""

import functools
from typing import Any

import chex
import jax
import numpy as np
from absl.testing import absltest

from kickstarting.acting import guides
from kickstarting.acting import policy as acting
from kickstarting.acting.actor import NUM_SLOTS
from kickstarting.agent import masking, trajectory
from kickstarting.agent.agent import Agent
from kickstarting.config import run as config
from tests import small_ring
from tests.counting_environment import SPEC, CountingBatch, Script, code

SCRIPTS = (
    Script(length=5, changing_actions=True),
    Script(length=6, truncation=True, delay=1, changing_actions=True),
    Script(length=9, delay=2),
    Script(length=30),
)
CONFIG = small_ring.small_config(environments_per_actor=len(SCRIPTS), unroll_length=8)
# The teacher's policy, whatever it sees.
LOGITS = np.array([0.0, 1.0, 3.0], np.float32)
STEPS = 4
# Of each environment.
UNROLLS = 40


class SteadyTeacher:
    """Has one policy; keeps trajectory.Teacher."""

    action_names = SPEC.action_names

    def initial_state(self, batch_size: int) -> tuple[()]:
        return ()

    def label(
        self, observation: trajectory.Observation, first: np.ndarray, state: tuple[()]
    ) -> tuple[np.ndarray, tuple[()]]:
        return np.broadcast_to(LOGITS, (*first.shape, 3)).copy(), state


def setUpModule():
    small_ring.compile_quickly()


@functools.cache
def _agent_and_parameters() -> tuple[Agent, np.ndarray]:
    agent = Agent(SPEC, CONFIG.network)
    return agent, small_ring.random_parameters(agent)


@functools.cache
def _run(use: str, left: float, delays: tuple[int, ...] = ()) -> Any:
    """Acts with `left` of the guiding left to do; returns learner, actor, unrolls."""
    version = 1000
    guided_frames = round(version * CONFIG.frames_per_batch / (1 - left))
    scripts = list(SCRIPTS)
    for environment, delay in enumerate(delays):
        scripts[environment] = Script(
            **{**scripts[environment].__dict__, "delay": delay}
        )
    kickstarting = config.KickstartingConfig(
        teachers=(("test:counting", "steady"),),
        use=use,
        schedule="constant",
        guided_steps=round(STEPS / left) if left else STEPS,
        guided_end_frames=guided_frames,
    )
    environments = CountingBatch(scripts, NUM_SLOTS, CONFIG.unroll_length)
    learner = small_ring.FixedLearner(
        _agent_and_parameters()[1], np.zeros((1, 1), np.float32), version
    )
    guide = guides.Guide(
        kickstarting,
        SPEC.num_actions,
        {"steady": SteadyTeacher()},
        ["steady"] * len(SCRIPTS),
    )

    def enough(unrolls: list[trajectory.Trajectory]) -> bool:
        return all(
            len(_of_environment(unrolls, environment)) >= UNROLLS
            for environment in range(len(SCRIPTS))
        )

    actor, unrolls = small_ring.act(
        CONFIG, environments, learner, until=enough, guide=guide
    )
    return learner, actor, unrolls


def _of_environment(
    unrolls: list[trajectory.Trajectory], environment: int
) -> list[trajectory.Trajectory]:
    return [
        unroll
        for unroll in unrolls
        if code(unroll.observation.pixels[0]).environment == environment
    ]


def _teacher_logits(unrolls: list[trajectory.Trajectory]) -> np.ndarray:
    """Returns the teacher's policy over what was available, float32 [n, T, A]."""
    available_actions = _stack(unrolls, "available_actions")[:, :-1]
    return np.asarray(masking.mask_logits(LOGITS, available_actions))


def _student_logits(unrolls: list[trajectory.Trajectory]) -> np.ndarray:
    """Returns what the student would have done, float32 [n, T, A]."""
    agent, flat = _agent_and_parameters()
    batch = jax.tree.map(lambda *leaves: np.stack(leaves), *unrolls)
    output, _ = jax.jit(agent.unroll)(
        small_ring.unravel(agent, flat),
        batch.observation,
        batch.first,
        batch.core_state,
    )
    logits = masking.mask_logits(output.logits, batch.available_actions)
    return np.asarray(logits)[:, :-1]


def _stack(unrolls: list[trajectory.Trajectory], name: str) -> np.ndarray:
    return np.stack([getattr(unroll, name) for unroll in unrolls])


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    return np.asarray(jax.nn.log_softmax(logits))


class GuidedActorTest(absltest.TestCase):
    def test_dagger_acts_by_the_mixture_that_it_writes(self):
        _, _, unrolls = _run("dagger", 0.4)
        teacher, student = (
            np.exp(_log_softmax(logits))
            for logits in (_teacher_logits(unrolls), _student_logits(unrolls))
        )
        mixture = 0.4 * teacher + 0.6 * student
        written = _stack(unrolls, "behaviour_logits")
        np.testing.assert_allclose(np.exp(written), mixture, rtol=1e-3, atol=1e-5)
        actions = _stack(unrolls, "action")
        # How often each action was taken, within five standard errors.
        deviation = np.sqrt((mixture * (1 - mixture)).sum((0, 1))) / actions.size
        taken = np.bincount(actions.ravel(), minlength=3) / actions.size
        np.testing.assert_array_less(
            np.abs(taken - mixture.mean((0, 1))), 5 * deviation
        )
        # The share itself, by which the teacher's favourite is taken more often.
        excess = taken[2] - student[..., 2].mean()
        share = excess / (teacher[..., 2].mean() - student[..., 2].mean())
        self.assertAlmostEqual(share, 0.4, delta=0.1)

    def test_a_jump_start_begins_every_episode_and_the_student_goes_on(self):
        _, _, unrolls = _run("jump_start", 0.5)
        teacher, student = _teacher_logits(unrolls), _student_logits(unrolls)
        written = _stack(unrolls, "behaviour_logits")
        steps = np.array(
            [
                [code(x).step for x in unroll.observation.pixels[:-1]]
                for unroll in unrolls
            ]
        )
        begins = steps < STEPS
        self.assertBetween(begins.mean(), 0.1, 0.9)
        np.testing.assert_allclose(
            written[begins], _log_softmax(teacher[begins]), rtol=1e-5, atol=1e-6
        )
        np.testing.assert_allclose(
            written[~begins], student[~begins], rtol=1e-4, atol=1e-5
        )

    def test_the_teacher_that_is_cloned_acts_alone(self):
        learner, actor, unrolls = _run("behaviour_cloning", 0.5)
        written = _stack(unrolls, "behaviour_logits")
        np.testing.assert_allclose(
            written, _log_softmax(_teacher_logits(unrolls)), rtol=1e-5, atol=1e-6
        )
        # None of its returns is the student's.
        self.assertEmpty(learner.episodes)
        self.assertEmpty(actor._episodes)
        self.assertGreater(actor._guide.counters()["guided_episodes"], 3)

    def test_after_the_end_the_student_acts_alone(self):
        learner, actor, unrolls = _run("jump_start", 0.0)
        written = _stack(unrolls, "behaviour_logits")
        np.testing.assert_allclose(
            written, _student_logits(unrolls), rtol=1e-4, atol=1e-5
        )
        self.assertNotEmpty(learner.episodes + actor._episodes)
        self.assertEqual(actor._guide.counters(), {"guided_episodes": 0})

    def test_actions_do_not_depend_on_who_was_ready_together(self):
        _, _, unrolls = _run("dagger", 0.4)
        _, _, others = _run("dagger", 0.4, delays=(3, 0, 7, 0))
        for environment in range(len(SCRIPTS)):
            ours = _of_environment(unrolls, environment)[:UNROLLS]
            theirs = _of_environment(others, environment)[:UNROLLS]
            chex.assert_trees_all_close(ours, theirs, rtol=1e-4, atol=1e-5)

    def test_nothing_compiles_after_the_warm_up(self):
        _, actor, _ = _run("dagger", 0.4)
        sizes = len(actor._policy._sizes)
        self.assertEqual(actor._policy._act._cache_size(), 2 * sizes)


class MixTest(absltest.TestCase):
    def test_the_ends_are_the_two_policies(self):
        student = np.array([[5.0, -2.0, 1.0]] * 3, np.float32)
        teacher = np.array([[0.0, 2.0, -np.inf]] * 3, np.float32)
        share = np.array([0.0, 1.0, 0.25], np.float32)
        mixed = np.asarray(acting.mix(student, acting.Guidance(teacher, share)))
        np.testing.assert_array_equal(mixed[0], student[0])
        np.testing.assert_allclose(mixed[1], _log_softmax(teacher[1]), rtol=1e-6)
        probabilities = np.exp(_log_softmax(student)), np.exp(_log_softmax(teacher))
        np.testing.assert_allclose(
            np.exp(mixed[2]),
            0.75 * probabilities[0][2] + 0.25 * probabilities[1][2],
            rtol=1e-6,
        )


if __name__ == "__main__":
    absltest.main()
