"""The actor: what it writes is what happened, whichever environments were ready."""

import functools
import itertools
import threading
import time

import chex
import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.acting import actor as actor_lib
from kickstarting.agent import masking, trajectory
from kickstarting.agent.agent import Agent
from kickstarting.queue import memory_queue
from tests import small_ring
from tests.counting_environment import (
    SPEC,
    Code,
    CountingBatch,
    Script,
    available_actions,
    code,
)

SCRIPTS = (
    Script(length=5, changing_actions=True),
    Script(length=3, truncation=True),
    Script(length=1, truncation=True),
    Script(length=30, delay=12),
    Script(length=6, delay=1, lost_at=(7, 12), changing_actions=True),
    Script(length=4, truncation=True, delay=2, changing_actions=True),
)
PLAIN = range(4)
CONFIG = small_ring.small_config(environments_per_actor=len(SCRIPTS), batch_size=6)
UNROLL_LENGTH = CONFIG.unroll_length
WEIGHT = np.zeros((1, 1), np.float32)


def setUpModule():
    small_ring.compile_quickly()


@functools.cache
def _agent_and_parameters() -> tuple[Agent, np.ndarray]:
    agent = Agent(SPEC, CONFIG.network)
    return agent, small_ring.random_parameters(agent)


def _of_environment(
    unrolls: list[trajectory.Trajectory], environment: int
) -> list[trajectory.Trajectory]:
    return [
        unroll
        for unroll in unrolls
        if code(unroll.observation.pixels[0]).environment == environment
    ]


def _copied(unroll: trajectory.Trajectory) -> trajectory.Trajectory:
    return jax.tree.map(np.array, unroll)


def _enough(unrolls: list[trajectory.Trajectory]) -> bool:
    return all(
        len(_of_environment(unrolls, environment)) >= 4
        for environment in range(len(SCRIPTS))
    )


@functools.cache
def _run(delays: tuple[int, ...] = ()):
    """Acts once with given delays; returns environments, learner, actor, unrolls."""
    scripts = list(SCRIPTS)
    for environment, delay in enumerate(delays):
        scripts[environment] = Script(
            **{**scripts[environment].__dict__, "delay": delay}
        )
    environments = CountingBatch(scripts, actor_lib.NUM_SLOTS, UNROLL_LENGTH)
    learner = small_ring.FixedLearner(_agent_and_parameters()[1], WEIGHT, version=3)
    actor, unrolls = small_ring.act(CONFIG, environments, learner, until=_enough)
    return environments, learner, actor, unrolls


class ActorTest(parameterized.TestCase):
    @parameterized.parameters(range(len(SCRIPTS)))
    def test_each_step_is_what_the_environment_did(self, environment):
        environments, _, _, unrolls = _run()
        history = environments.history[environment]
        place = {each.before: index for index, each in enumerate(history)}
        for unroll in _of_environment(unrolls, environment):
            codes = [code(frame) for frame in unroll.observation.pixels]
            for t in range(UNROLL_LENGTH):
                happened = history[place[codes[t]]]
                self.assertFalse(happened.lost)
                self.assertEqual(codes[t + 1], happened.after)
                self.assertEqual(unroll.action[t], happened.action)
                self.assertAlmostEqual(unroll.reward[t], happened.reward, places=5)
                self.assertEqual(unroll.discount[t], happened.discount)
                self.assertEqual(unroll.first[t + 1], happened.first)

    @parameterized.parameters(0, 4, 5)
    def test_only_available_actions_are_taken(self, environment):
        _, _, _, unrolls = _run()
        for unroll in _of_environment(unrolls, environment):
            steps = [code(frame).step for frame in unroll.observation.pixels]
            expected = [available_actions(step, SPEC.num_actions) for step in steps]
            np.testing.assert_array_equal(unroll.available_actions, expected)
            taken = np.arange(UNROLL_LENGTH), unroll.action
            self.assertTrue(unroll.available_actions[taken].all())

    @parameterized.parameters(PLAIN)
    def test_unrolls_follow_each_other_without_a_gap(self, environment):
        _, _, _, unrolls = _run()
        own = _of_environment(unrolls, environment)
        self.assertEqual(code(own[0].observation.pixels[0]), Code(environment, 0, 0))
        self.assertTrue(own[0].first[0])
        for before, after in itertools.pairwise(own):
            self.assertEqual(before.first[-1], after.first[0])
            for old, new in zip(before.observation, after.observation, strict=True):
                np.testing.assert_array_equal(old[-1], new[0])

    @parameterized.parameters(range(len(SCRIPTS)))
    def test_last_action_and_reward_are_zero_where_an_episode_opens(self, environment):
        _, _, _, unrolls = _run()
        for unroll in _of_environment(unrolls, environment):
            opens = unroll.first[1:]
            np.testing.assert_array_equal(
                unroll.observation.last_action[1:], np.where(opens, 0, unroll.action)
            )
            np.testing.assert_array_equal(
                unroll.observation.last_reward[1:], np.where(opens, 0, unroll.reward)
            )
            if unroll.first[0]:
                self.assertEqual(unroll.observation.last_action[0], 0)
                self.assertEqual(unroll.observation.last_reward[0], 0)

    @parameterized.parameters(1, 2, 5)
    def test_a_truncation_keeps_its_last_observation(self, environment):
        environments, _, _, unrolls = _run()
        length = environments._scripts[environment].length
        crossings = 0
        for unroll in _of_environment(unrolls, environment):
            np.testing.assert_array_equal(unroll.discount, np.ones(UNROLL_LENGTH))
            crossing = trajectory.is_crossing(unroll.discount, unroll.first)
            steps = [code(frame).step for frame in unroll.observation.pixels]
            np.testing.assert_array_equal(crossing, np.array(steps[:-1]) == length)
            np.testing.assert_array_equal(unroll.reward[crossing], 0)
            crossings += int(crossing.sum())
        self.assertGreater(crossings, 0)

    def test_a_lost_environment_drops_its_half_unroll(self):
        environments, _, actor, unrolls = _run()
        lost = [each for each in environments.history[4] if each.lost]
        self.assertLen(lost, 2)
        own = _of_environment(unrolls, 4)
        # Steps 5 to 7 went with the loss in step 7, and 8 to 12 with that in step 12,
        # apart from one unroll that was whole before it.
        opened = [code(unroll.observation.pixels[0]) for unroll in own]
        self.assertEqual(opened[0], Code(4, 0, 0))
        self.assertIn(lost[0].after, opened)
        self.assertIn(lost[1].after, opened)
        for each in lost:
            follower = own[opened.index(each.after)]
            self.assertTrue(follower.first[0])
            self.assertEqual(follower.observation.last_action[0], 0)
        self.assertEqual(actor._dropped_unrolls, 2)
        self.assertEqual(environments.counters()["worker_restarts"], 2)

    @parameterized.parameters(range(len(SCRIPTS)))
    def test_the_core_state_reproduces_the_behaviour(self, environment):
        _, _, _, unrolls = _run()
        agent, flat = _agent_and_parameters()
        params = small_ring.unravel(agent, flat)
        own = _of_environment(unrolls, environment)[:4]
        batch = jax.tree.map(lambda *leaves: np.stack(leaves), *own)
        output, _ = jax.jit(agent.unroll)(
            params, batch.observation, batch.first, batch.core_state
        )
        policy = masking.mask_logits(output.logits, batch.available_actions)
        np.testing.assert_allclose(
            policy[:, :-1], batch.behaviour_logits, rtol=1e-4, atol=1e-5
        )

    def test_the_core_state_is_carried_over_unrolls(self):
        _, _, _, unrolls = _run()
        # The episodes of environment 3 are longer than any unroll.
        states = [unroll.core_state for unroll in _of_environment(unrolls, 3)]
        np.testing.assert_array_equal(states[0].hidden, 0)
        for state in states[1:]:
            self.assertGreater(np.abs(state.hidden).max(), 1e-3)

    def test_a_slow_environment_does_not_stall_the_others(self):
        environments, _, _, _ = _run()
        slow, fast = len(environments.history[3]), len(environments.history[0])
        self.assertGreater(fast, 5 * slow)

    def test_actions_do_not_depend_on_who_was_ready_together(self):
        _, _, _, unrolls = _run()
        _, _, _, others = _run(delays=(3, 0, 7, 5, 0, 0))
        for environment in range(len(SCRIPTS)):
            ours = _of_environment(unrolls, environment)[:4]
            theirs = _of_environment(others, environment)[:4]
            chex.assert_trees_all_close(ours, theirs, rtol=1e-4, atol=1e-5)
        actions = np.concatenate([unroll.action for unroll in unrolls])
        self.assertEqual(set(actions.tolist()), {0, 1, 2})

    def test_nothing_compiles_after_the_warm_up(self):
        _, _, actor, _ = _run()
        self.assertEqual(actor._policy._act._cache_size(), len(actor._policy._sizes))

    def test_labels_of_an_unroll(self):
        _, _, _, unrolls = _run()
        for unroll in unrolls:
            self.assertEqual(int(unroll.params_version), 3)
            self.assertEqual((int(unroll.task), int(unroll.actor)), (0, 0))

    def test_environments_are_closed_at_the_end(self):
        environments, _, _, _ = _run()
        self.assertTrue(environments.closed)


class ReportsTest(absltest.TestCase):
    def test_episodes_and_counters_reach_the_learner(self):
        run = small_ring.small_config(environments_per_actor=1, batch_size=1)
        environments = CountingBatch([Script(length=2, delay=20)], 2, UNROLL_LENGTH)
        learner = small_ring.FixedLearner(_agent_and_parameters()[1], WEIGHT)
        small_ring.act(
            run,
            environments,
            learner,
            until=lambda unrolls: len(learner.episodes) > 1,
        )
        returns = np.concatenate([returns for _, returns, _ in learner.episodes])
        for tasks, _, steps in learner.episodes:
            np.testing.assert_array_equal(tasks, 0)
            np.testing.assert_array_equal(steps, 2)
        rewards = [each.reward for each in environments.history[0]]
        expected = np.add(rewards[0::2][: len(returns)], rewards[1::2][: len(returns)])
        np.testing.assert_allclose(returns, expected, rtol=1e-5)
        report = learner.reports[-1]
        self.assertEqual(report["source"], "actor/0")
        self.assertGreaterEqual(report["agent_steps"], 2 * len(returns))
        self.assertBetween(report["wait_environment"], 0.0, 1.0)
        self.assertEqual(report["teacher_timeouts"], 0)
        self.assertEqual(
            learner.gauges,
            {
                "acting_batch_size",
                "teachers_resting",
                "wait_environment",
                "wait_queue",
                "wait_teacher",
            },
        )


class StoppingTest(parameterized.TestCase):
    def _assert_ends(self, run, scripts) -> None:
        environments = CountingBatch(scripts, actor_lib.NUM_SLOTS, run.unroll_length)
        learner = small_ring.FixedLearner(_agent_and_parameters()[1], WEIGHT)
        stop = threading.Event()
        writer = memory_queue.UnrollWriter(memory_queue.MemoryQueue(1), stop.is_set)
        actor = small_ring.make_actor(run, environments, learner, writer)
        thread = threading.Thread(target=actor.run, args=(stop,), daemon=True)
        thread.start()
        deadline = time.monotonic() + 30
        while len(environments.history[0]) < 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertTrue(thread.is_alive())
        stop.set()
        thread.join(10)
        self.assertFalse(thread.is_alive())
        self.assertTrue(environments.closed)

    @parameterized.parameters(True, False)
    def test_it_ends_while_the_queue_is_full(self, synchronous):
        run = small_ring.small_config(environments_per_actor=2, synchronous=synchronous)
        self._assert_ends(run, [Script(), Script()])

    @parameterized.parameters(True, False)
    def test_it_ends_while_an_environment_hangs(self, lockstep):
        run = small_ring.small_config(environments_per_actor=2, lockstep=lockstep)
        self._assert_ends(run, [Script(), Script(hangs_at=6)])

    def test_it_ends_before_the_learner_has_any_parameters(self):
        run = small_ring.small_config(environments_per_actor=1)
        environments = CountingBatch([Script()], 2, UNROLL_LENGTH)
        learner = small_ring.FixedLearner(np.zeros(0, np.float32), WEIGHT, version=-1)
        stop = threading.Event()
        writer = memory_queue.UnrollWriter(memory_queue.MemoryQueue(1), stop.is_set)
        actor = small_ring.make_actor(run, environments, learner, writer)
        threading.Timer(0.2, stop.set).start()
        start = time.monotonic()
        actor.run(stop)
        self.assertLess(time.monotonic() - start, 10)
        self.assertEmpty(environments.history[0])


if __name__ == "__main__":
    absltest.main()
