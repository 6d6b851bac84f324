"""The sender: teachers by future, deadlines, states handed on, slots given back."""

import concurrent.futures
import threading
import time
from typing import Any, NamedTuple

import numpy as np
from absl.testing import absltest

from kickstarting.acting import unroll_sender, unroll_store
from kickstarting.agent import trajectory as trajectory_lib
from tests.counting_environment import CountingBatch, Script

UNROLL_LENGTH, NUM_TEACHERS, NUM_ACTIONS = 3, 2, 3
LONG = 20.0


class Stopped(Exception):
    pass


class Written(NamedTuple):
    environment: int
    slot: int
    logits: np.ndarray
    mask: np.ndarray
    was_held: bool


class Writer:
    """Writes into a list, once `gate` is open."""

    def __init__(self, store: unroll_store.UnrollStore) -> None:
        self.store = store
        self.gate = threading.Event()
        self.gate.set()
        self.written: list[Written] = []
        self.closed = threading.Event()
        self.failure: Exception | None = None

    def write(self, trajectory: trajectory_lib.Trajectory) -> float:
        self.gate.wait(LONG)
        if self.failure is not None:
            raise self.failure
        environment, slot = divmod(int(trajectory.action[0]), 10)
        self.written.append(
            Written(
                environment,
                slot,
                np.array(trajectory.teacher_logits),
                np.array(trajectory.teacher_mask),
                bool(self.store._busy[environment, slot]),
            )
        )
        return 0.5

    def close(self) -> None:
        self.closed.set()


class Teacher:
    """Keeps the futures it gives; the test answers them."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int, Any]] = []
        self.wanted: list[list[bool]] = []
        self.futures: list[concurrent.futures.Future] = []
        self.resting = 0

    def label(
        self,
        task: int,
        wanted: np.ndarray,
        trajectory: trajectory_lib.Trajectory,
        teacher_state: Any,
    ) -> Any:
        if self.resting:
            return None
        self.wanted.append(wanted.tolist())
        self.asked.append((task, int(trajectory.action[0]), teacher_state))
        self.futures.append(concurrent.futures.Future())
        return self.futures[-1]

    def answer(self, index: int, state: Any) -> None:
        logits = np.full((NUM_TEACHERS, UNROLL_LENGTH, NUM_ACTIONS), index + 1.0)
        mask = np.array([[1.0] * UNROLL_LENGTH, [0.0] * UNROLL_LENGTH])
        self.futures[index].set_result((logits, mask, state, mask[:0]))


class UnrollSenderTest(absltest.TestCase):
    def _make(self, *, deadline: float = LONG, with_teacher: bool = True):
        environments = CountingBatch([Script()] * 3, 2, UNROLL_LENGTH)
        self.store = unroll_store.UnrollStore(
            environments, np.array([0, 0, 1]), 0, NUM_TEACHERS, core_size=4
        )
        for environment in range(3):
            for slot in range(2):
                self.store.action[environment, slot] = 10 * environment + slot
        self.writer, self.teacher = Writer(self.store), Teacher()
        # The weights of the two tasks; tests change them.
        self.weight = np.array([[1.0, 0.0], [0.0, 0.0]], np.float32)
        self.sender = unroll_sender.UnrollSender(
            self.store,
            self.writer,
            self.teacher if with_teacher else None,
            deadline,
            lambda task: self.weight[task],
            Stopped,
        )
        self.sender.start()
        self.addCleanup(self.sender.close, LONG)

    def _eventually(self, condition) -> None:
        deadline = time.monotonic() + LONG
        while not condition():
            self.assertLess(time.monotonic(), deadline, "it never came true")
            time.sleep(0.002)

    def _written(self) -> list[tuple[int, int]]:
        return [(each.environment, each.slot) for each in self.writer.written]

    def test_without_a_teacher_unrolls_go_straight_through_in_order(self):
        self._make(with_teacher=False)
        sent = [(0, 0), (2, 0), (1, 0), (0, 1)]
        for environment, slot in sent:
            self.sender.send(environment, slot)
        self._eventually(lambda: self.sender.unrolls == 4)
        self.assertEqual(self._written(), sent)
        self.assertFalse(any(each.mask.any() for each in self.writer.written))
        self.assertEqual(self.sender.teacher_unrolls, 0)
        self.assertAlmostEqual(self.sender.seconds_for_queue, 2.0)

    def test_an_answer_comes_by_its_future(self):
        self._make()
        self.sender.send(0, 0)
        self._eventually(lambda: self.teacher.futures)
        time.sleep(0.05)
        self.assertEmpty(self.writer.written)
        self.teacher.answer(0, state="after")
        self._eventually(lambda: self.sender.unrolls == 1)
        (written,) = self.writer.written
        np.testing.assert_array_equal(written.logits, np.ones((2, 3, 3)))
        np.testing.assert_array_equal(written.mask, [[1, 1, 1], [0, 0, 0]])
        self.assertEqual(self.sender.teacher_unrolls, 1)
        self.assertEqual(self.sender.teacher_timeouts, 0)

    def test_many_are_asked_at_once_and_written_in_order(self):
        self._make()
        self.sender.send(0, 0)
        self.sender.send(1, 0)
        self._eventually(lambda: len(self.teacher.futures) == 2)
        self.teacher.answer(1, state=None)
        time.sleep(0.05)
        self.assertEmpty(self.writer.written)
        self.teacher.answer(0, state=None)
        self._eventually(lambda: self.sender.unrolls == 2)
        self.assertEqual(self._written(), [(0, 0), (1, 0)])
        np.testing.assert_array_equal(self.writer.written[1].logits[0, 0], [2, 2, 2])

    def test_a_teacher_that_never_answers_costs_only_its_answer(self):
        # Nothing else is sent: the actor may have no slot left to send.
        self._make(deadline=0.2)
        self.sender.send(0, 0)
        self._eventually(lambda: self.sender.unrolls == 1)
        (written,) = self.writer.written
        self.assertFalse(written.mask.any())
        self.assertFalse(written.logits.any())
        self.assertEqual(self.sender.teacher_timeouts, 1)
        self.assertEqual(self.sender.unanswered_unrolls, 1)
        self.assertTrue(self.store.next_slot_is_free(0))
        self.assertIsNone(self.sender.failure)

    def test_a_teacher_that_fails_costs_only_its_answer(self):
        self._make()
        self.sender.send(0, 0)
        self._eventually(lambda: self.teacher.futures)
        self.teacher.futures[0].set_exception(ConnectionError("gone"))
        self._eventually(lambda: self.sender.unrolls == 1)
        self.assertFalse(self.writer.written[0].mask.any())
        self.assertEqual(self.sender.teacher_timeouts, 1)

    def test_where_no_server_is_asked_unrolls_go_on_at_once(self):
        self._make()
        self.sender.send(0, 0)
        self._eventually(lambda: self.teacher.futures)
        self.teacher.answer(0, state="before")
        self._eventually(lambda: self.sender.unrolls == 1)
        self.teacher.resting = 1
        self.assertEqual(self.sender.resting_teachers, 1)
        self.sender.send(0, 1)
        self._eventually(lambda: self.sender.unrolls == 2)
        self.assertFalse(self.writer.written[1].mask.any())
        self.assertEqual(self.sender.unanswered_unrolls, 1)
        self.assertEqual(self.sender.teacher_timeouts, 0)
        self.teacher.resting = 0
        self.sender.send(0, 0)
        self._eventually(lambda: len(self.teacher.asked) == 2)
        # The teacher has not seen the unroll between.
        self.assertIsNone(self.teacher.asked[1][2])

    def test_a_weaned_task_is_never_asked_about(self):
        self._make()
        self.sender.send(2, 0)
        self._eventually(lambda: self.sender.unrolls == 1)
        self.assertEmpty(self.teacher.asked)
        self.weight[0] = 0.0
        self.sender.send(0, 0)
        self._eventually(lambda: self.sender.unrolls == 2)
        self.assertEmpty(self.teacher.asked)

    def test_one_teacher_with_a_weight_is_enough_to_ask(self):
        self._make()
        self.weight[1, 1] = 0.1
        self.sender.send(2, 0)
        self._eventually(lambda: self.teacher.futures)
        self.assertEqual(self.teacher.asked, [(1, 20, None)])
        self.assertEqual(self.teacher.wanted, [[False, True]])

    def test_the_state_is_handed_on_unroll_by_unroll(self):
        self._make()
        self.sender.send(0, 0)
        self.sender.send(1, 0)
        self._eventually(lambda: len(self.teacher.futures) == 2)
        self.teacher.answer(0, state="of 0")
        self.teacher.answer(1, state="of 1")
        self._eventually(lambda: self.sender.unrolls == 2)
        self.sender.send(1, 1)
        self.sender.send(0, 1)
        self._eventually(lambda: len(self.teacher.asked) == 4)
        self.assertEqual(
            self.teacher.asked,
            [(0, 0, None), (0, 10, None), (0, 11, "of 1"), (0, 1, "of 0")],
        )

    def test_the_next_unroll_waits_for_the_state_before(self):
        self._make()
        self.sender.send(0, 0)
        self.sender.send(0, 1)
        self._eventually(lambda: self.teacher.futures)
        time.sleep(0.05)
        self.assertLen(self.teacher.asked, 1)
        self.teacher.answer(0, state="after")
        self._eventually(lambda: len(self.teacher.asked) == 2)
        self.assertEqual(self.teacher.asked[1], (0, 1, "after"))

    def test_unrolls_without_advice_are_counted_by_teacher(self):
        self._make()
        self.weight[0] = 1.0
        for slot, number in ((0, 0), (1, 1)):
            self.sender.send(0, slot)
            self._eventually(lambda n=number: len(self.teacher.futures) > n)
            # The first of the two teachers alone answers.
            self.teacher.answer(number, state=None)
            self._eventually(lambda n=number: self.sender.unrolls > n)
        self.assertEqual(self.sender.asked, {(0, 0): 2, (0, 1): 2})
        self.assertEqual(self.sender.unanswered, {(0, 0): 0, (0, 1): 2})
        self.assertEqual(self.sender.unanswered_unrolls, 0)
        self.weight[0] = [0.0, 1.0]
        self.sender.send(0, 0)
        self._eventually(lambda: len(self.teacher.futures) == 3)
        self.teacher.answer(2, state=None)
        self._eventually(lambda: self.sender.unrolls == 3)
        self.assertEqual(self.sender.asked, {(0, 0): 2, (0, 1): 3})
        self.assertEqual(self.sender.unanswered, {(0, 0): 0, (0, 1): 3})
        self.assertEqual(self.sender.unanswered_unrolls, 1)

    def test_the_state_is_dropped_after_a_failure(self):
        self._make()
        self.sender.send(0, 0)
        self._eventually(lambda: self.teacher.futures)
        self.teacher.answer(0, state="known")
        self._eventually(lambda: self.sender.unrolls == 1)
        self.sender.send(0, 1)
        self._eventually(lambda: len(self.teacher.futures) == 2)
        self.assertEqual(self.teacher.asked[1][2], "known")
        self.teacher.futures[1].set_exception(ConnectionError("gone"))
        self._eventually(lambda: self.sender.unrolls == 2)
        self.sender.send(0, 0)
        self._eventually(lambda: len(self.teacher.asked) == 3)
        self.assertIsNone(self.teacher.asked[2][2])

    def test_the_state_is_dropped_while_a_task_is_weaned(self):
        self._make()
        self.sender.send(0, 0)
        self._eventually(lambda: self.teacher.futures)
        self.teacher.answer(0, state="old")
        self._eventually(lambda: self.sender.unrolls == 1)
        self.weight[0] = 0.0
        self.sender.send(0, 1)
        self._eventually(lambda: self.sender.unrolls == 2)
        self.weight[0] = 1.0
        self.sender.send(0, 0)
        self._eventually(lambda: len(self.teacher.asked) == 2)
        self.assertIsNone(self.teacher.asked[1][2])

    def test_a_slot_is_given_back_only_after_the_write(self):
        self._make(with_teacher=False)
        self.writer.gate.clear()
        self.store.slot[0] = 1
        self.sender.send(0, 0)
        time.sleep(0.05)
        self.assertFalse(self.store.next_slot_is_free(0))
        self.writer.gate.set()
        self._eventually(lambda: self.store.next_slot_is_free(0))
        self.assertTrue(self.writer.written[0].was_held)

    def test_a_stopped_queue_ends_the_sender_quietly(self):
        self._make(with_teacher=False)
        self.writer.failure = Stopped()
        self.sender.send(0, 0)
        self.assertTrue(self.writer.closed.wait(LONG))
        self.assertIsNone(self.sender.failure)

    def test_a_failure_of_the_queue_is_kept_for_the_actor(self):
        self._make(with_teacher=False)
        self.writer.failure = RuntimeError("the queue broke")
        self.sender.send(0, 0)
        self.assertTrue(self.writer.closed.wait(LONG))
        self._eventually(lambda: self.sender.failure is not None)
        self.assertEqual(str(self.sender.failure), "the queue broke")

    def test_closing_ends_the_thread_and_the_writer(self):
        self._make()
        self.sender.send(0, 0)
        self._eventually(lambda: self.teacher.futures)
        start = time.monotonic()
        self.sender.close(LONG)
        self.assertLess(time.monotonic() - start, LONG / 2)
        self.assertTrue(self.writer.closed.is_set())
        self.assertEmpty(self.writer.written)


if __name__ == "__main__":
    absltest.main()
