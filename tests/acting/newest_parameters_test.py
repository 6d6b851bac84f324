"""What parameters an actor has, and whose turn it is."""

import dataclasses
import functools
import threading
import time
from unittest import mock

import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.acting import actor, newest_parameters
from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from tests import small_ring
from tests.counting_environment import SPEC, CountingBatch, Script

WEIGHT = np.zeros((1, 1), np.float32)


def setUpModule():
    small_ring.compile_quickly()


@functools.cache
def _parameters() -> np.ndarray:
    return small_ring.random_parameters(Agent(SPEC, small_ring.small_config().network))


class PollingTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.answers = []
        self.asked = []
        self.taken = []

    def _fetch(self, held):
        self.asked.append(held)
        return self.answers.pop(0) if self.answers else None

    def _make(self, **fields):
        run = small_ring.small_config(batch_size=4, **fields)
        return newest_parameters.NewestParameters(run, self._fetch, self.taken.append)

    def test_it_has_what_it_fetched_last(self):
        made = self._make()
        np.testing.assert_array_equal(made.kickstarting_weight, [[0.0]])
        self.answers = [(3, "third", WEIGHT + 2), None, (5, "fifth", WEIGHT + 1)]
        self.assertEqual([made.poll() for _ in range(3)], [True, False, True])
        self.assertEqual(self.asked, [-1, 3, 3])
        self.assertEqual(self.taken, ["third", "fifth"])
        self.assertEqual(made.version, 5)
        np.testing.assert_array_equal(made.kickstarting_weight, [[1.0]])

    def test_it_waits_for_the_first(self):
        made = self._make()
        self.answers = [None, None, (0, "first", WEIGHT)]
        made.wait_for_first(threading.Event())
        self.assertEqual(made.version, 0)

    def test_in_lockstep_it_waits_for_all_that_the_unrolls_lead_to(self):
        made = self._make(lockstep=True, window_batches=2, passes=3)
        # A resumed run.
        self.answers = [(60, "first", WEIGHT)]
        made.wait_for_first(threading.Event())
        self.assertTrue(made.are_waited_for)
        for number in range(8):
            self.answers = [(61 + number, "none yet", WEIGHT)]
            made.wait(threading.Event())
            self.assertEqual(made.version, 60)
            made.count_opened_unroll()
        self.answers = [(60 + number, "more", WEIGHT) for number in range(1, 9)]
        made.wait(threading.Event())
        self.assertEqual(made.version, 66)
        self.assertFalse(made.turn_is_over)

    @parameterized.parameters((1, 0.02), (16, 0.08), (64, 0.32))
    def test_all_actors_together_ask_so_often(self, num_actors, expected):
        run = small_ring.small_config(num_actors=num_actors)
        self.assertAlmostEqual(newest_parameters.parameters_period(run), expected)


class TurnsTest(parameterized.TestCase):
    def _act(self, num_actors, learner):
        run = small_ring.small_config(
            environments_per_actor=3,
            num_actors=num_actors,
            batch_size=4,
            window_batches=2,
            synchronous=True,
        )
        # The queue takes all that is sent: nothing but the learner holds the actor.
        run = dataclasses.replace(run, queue_size=100)
        scripts = [Script(), Script(delay=1), Script(length=3, truncation=True)]
        environments = CountingBatch(scripts, actor.NUM_SLOTS, run.unroll_length)
        unrolls: list[trajectory.Trajectory] = []
        stop = threading.Event()
        writer = mock.Mock(
            write=lambda unroll: unrolls.append(jax.tree.map(np.array, unroll)) or 0.0
        )
        made = small_ring.make_actor(run, environments, learner, writer)
        thread = threading.Thread(target=made.run, args=(stop,), daemon=True)
        thread.start()

        def end():
            stop.set()
            thread.join(10)
            self.assertFalse(thread.is_alive())

        self.addCleanup(end)
        return unrolls

    def _wait_for(self, unrolls, count) -> None:
        deadline = time.monotonic() + 30
        while len(unrolls) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertLen(unrolls, count)
        # Time enough for more, if it did not wait.
        time.sleep(0.3)
        self.assertLen(unrolls, count)

    @parameterized.parameters((1, 8), (3, 3))
    def test_an_actor_waits_for_what_is_learned_from_its_window(self, actors, share):
        flat = _parameters()
        learner = small_ring.FixedLearner(flat, WEIGHT, version=0)
        unrolls = self._act(actors, learner)
        self._wait_for(unrolls, share)
        learner.published = (16, flat, WEIGHT)
        self._wait_for(unrolls, 2 * share)
        # What was begun with one policy may have been ended with the next.
        versions = [int(unroll.params_version) for unroll in unrolls]
        self.assertEqual(versions[:share], [0] * share)
        self.assertEqual(set(versions[share:]) - {0}, {16})

    def test_it_acts_on_where_nothing_is_learned_for_long(self):
        flat = _parameters()
        with mock.patch.object(newest_parameters, "_TURN_SECONDS", 0.5):
            unrolls = self._act(1, small_ring.FixedLearner(flat, WEIGHT, version=0))
            deadline = time.monotonic() + 30
            while len(unrolls) < 3 * 8 and time.monotonic() < deadline:
                time.sleep(0.01)
        self.assertGreaterEqual(len(unrolls), 3 * 8)


if __name__ == "__main__":
    absltest.main()
