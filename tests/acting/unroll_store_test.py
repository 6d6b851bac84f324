"""The store: rows lie where the contract says, unrolls hand over, slots come back."""

import threading
import time

import numpy as np
from absl.testing import absltest

from kickstarting.acting import unroll_store
from kickstarting.environments import base
from tests import counting_environment
from tests.counting_environment import Code, CountingBatch, Script

UNROLL_LENGTH = 3
SPEC = base.EnvironmentSpec((3, 3, 3), 2, ("left", "right", "stay"), 1)


def _make(*scripts: Script, num_slots: int = 2):
    environments = CountingBatch(scripts, num_slots, UNROLL_LENGTH, SPEC)
    store = unroll_store.UnrollStore(
        environments,
        tasks=np.arange(len(scripts)) + 5,
        actor=7,
        num_teachers=2,
        core_size=4,
    )
    environments.start()
    return environments, store


def _take(environments: CountingBatch, store: unroll_store.UnrollStore) -> np.ndarray:
    ready = environments.wait(0)
    for environment in ready[environments.restarted[ready]]:
        store.restart_unroll(environment)
    store.record_results(ready)
    return ready


def _act(environments, store, indices, action: int) -> None:
    slot, position = store.slot[indices], store.position[indices]
    actions = np.full(len(indices), action, np.int32)
    environments.step(indices, actions, slot, position + 1)
    store.action[indices, slot, position] = actions
    store.position[indices] += 1


def _fill(environments, store, actions=(2, 1, 0)) -> None:
    for action in actions:
        _act(environments, store, _take(environments, store), action)
    _take(environments, store)


class UnrollStoreTest(absltest.TestCase):
    def test_rows_of_an_unroll(self):
        environments, store = _make(
            Script(length=9), Script(length=2, changing_actions=True)
        )
        _fill(environments, store)
        np.testing.assert_array_equal(store.position, [3, 3])
        going_on, ending = store.trajectory(0, 0), store.trajectory(1, 0)
        np.testing.assert_array_equal(going_on.action, [2, 1, 0])
        np.testing.assert_allclose(going_on.reward, [1.2, 2.1, 3.0])
        np.testing.assert_array_equal(going_on.discount, [1, 1, 1])
        np.testing.assert_array_equal(going_on.first, [1, 0, 0, 0])
        self.assertEqual(
            [counting_environment.code(x) for x in going_on.observation.pixels],
            [Code(0, 0, step) for step in range(4)],
        )
        # The second step ends the episode: its reward is kept, its action is not shown.
        np.testing.assert_array_equal(ending.discount, [1, 0, 1])
        np.testing.assert_array_equal(ending.first, [1, 0, 1, 0])
        np.testing.assert_allclose(ending.reward, [1.2, 2.1, 3.0])
        np.testing.assert_array_equal(ending.observation.last_action, [0, 2, 0, 0])
        np.testing.assert_allclose(ending.observation.last_reward, [0, 1.2, 0, 3.0])
        np.testing.assert_array_equal(
            ending.observation.instruction, [[1, 1], [1, 1], [2, 2], [2, 2]]
        )
        self.assertTrue(going_on.available_actions.all())
        np.testing.assert_array_equal(
            ending.available_actions, [[1, 0, 0], [0, 1, 1], [1, 0, 0], [0, 1, 1]]
        )
        self.assertEqual([int(x.task) for x in (going_on, ending)], [5, 6])
        self.assertEqual(int(going_on.actor), 7)

    def test_nobody_has_answered_yet(self):
        environments, store = _make(Script())
        _fill(environments, store)
        unroll = store.trajectory(0, 0)
        np.testing.assert_array_equal(unroll.teacher_mask, np.zeros((2, 3)))
        np.testing.assert_array_equal(unroll.teacher_logits, np.zeros((2, 3, 3)))
        self.assertEqual(unroll.teacher_values.shape, (0, 3))

    def test_the_next_unroll_opens_with_the_last_observation(self):
        environments, store = _make(
            Script(length=4, changing_actions=True), Script(length=3)
        )
        _fill(environments, store)
        for environment in (0, 1):
            store.open_unroll(environment)
        np.testing.assert_array_equal(store.slot, [1, 1])
        np.testing.assert_array_equal(store.position, [0, 0])
        for environment in (0, 1):
            old = store.trajectory(environment, 0)
            new = store.trajectory(environment, 1)
            self.assertEqual(new.first[0], old.first[-1])
            np.testing.assert_array_equal(
                new.available_actions[0], old.available_actions[-1]
            )
            for before, after in zip(old.observation, new.observation, strict=True):
                np.testing.assert_array_equal(after[0], before[-1])
        current = store.observation(np.array([1, 0]))
        self.assertEqual(counting_environment.code(current.pixels[0]), Code(1, 1, 0))
        self.assertEqual(counting_environment.code(current.pixels[1]), Code(0, 0, 3))
        np.testing.assert_array_equal(
            store.available_actions(np.array([1, 0])), [[1, 1, 1], [1, 0, 0]]
        )
        np.testing.assert_array_equal(current.last_action, [0, 0])
        np.testing.assert_allclose(current.last_reward, [0.0, 3.0])

    def test_acting_on_leaves_a_finished_unroll_as_it_was(self):
        environments, store = _make(Script(length=50))
        _fill(environments, store)
        finished = store.trajectory(0, 0)
        before = [np.array(x) for x in (finished.action, finished.observation.pixels)]
        store.open_unroll(0)
        for action in (1, 1):
            _act(environments, store, np.array([0], np.int32), action)
            _take(environments, store)
        after = (finished.action, finished.observation.pixels)
        for old, new in zip(before, after, strict=True):
            np.testing.assert_array_equal(old, new)
        # Views, not copies: an unroll is assembled in place.
        self.assertTrue(
            np.shares_memory(finished.observation.pixels, environments.pixels)
        )

    def test_a_restarted_unroll_begins_anew(self):
        environments, store = _make(
            Script(length=9, lost_at=(2,), changing_actions=True)
        )
        for action in (2, 2):
            _act(environments, store, _take(environments, store), action)
        _take(environments, store)
        self.assertEqual(store.position[0], 0)
        self.assertEqual(store.slot[0], 0)
        unroll = store.trajectory(0, 0)
        self.assertTrue(unroll.first[0])
        np.testing.assert_array_equal(unroll.available_actions[0], [1, 0, 0])
        self.assertEqual(
            counting_environment.code(unroll.observation.pixels[0]), Code(0, 1, 0)
        )
        np.testing.assert_array_equal(unroll.observation.instruction[0], [2, 2])
        self.assertEqual(unroll.observation.last_action[0], 0)
        self.assertEqual(unroll.observation.last_reward[0], 0)

    def test_slots_go_round(self):
        environments, store = _make(Script(length=50), num_slots=3)
        _take(environments, store)
        slots = []
        for _ in range(5):
            while store.position[0] < UNROLL_LENGTH:
                _act(environments, store, np.array([0], np.int32), 0)
                _take(environments, store)
            slots.append(int(store.slot[0]))
            store.open_unroll(0)
        self.assertEqual(slots, [0, 1, 2, 0, 1])

    def test_a_held_slot_is_not_free(self):
        _, store = _make(Script(), Script())
        store.hold(0, 1)
        self.assertFalse(store.next_slot_is_free(0))
        self.assertTrue(store.next_slot_is_free(1))
        store.free(0, 1)
        self.assertTrue(store.next_slot_is_free(0))

    def test_waiting_for_a_slot_ends_when_one_is_given_back(self):
        _, store = _make(Script())
        store.hold(0, 1)
        threading.Timer(0.1, store.free, (0, 1)).start()
        start = time.monotonic()
        while not store.next_slot_is_free(0):
            store.wait_for_free_slot(20.0)
        self.assertLess(time.monotonic() - start, 10.0)

    def test_a_slot_given_back_before_the_waiting_is_not_missed(self):
        _, store = _make(Script())
        store.hold(0, 1)
        self.assertFalse(store.next_slot_is_free(0))
        store.free(0, 1)
        start = time.monotonic()
        store.wait_for_free_slot(20.0)
        self.assertLess(time.monotonic() - start, 10.0)

    def test_waiting_for_a_slot_ends_in_time(self):
        _, store = _make(Script())
        start = time.monotonic()
        store.wait_for_free_slot(0.05)
        self.assertBetween(time.monotonic() - start, 0.04, 10.0)


if __name__ == "__main__":
    absltest.main()
