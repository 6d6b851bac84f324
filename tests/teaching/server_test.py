"""The teacher server: slices, batches, states, who is asked and who is dropped."""

import gc
import os
import threading
import time
import weakref
from concurrent import futures
from unittest import mock

import jax
import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.agent import trajectory
from kickstarting.agent.agent import Agent
from kickstarting.teaching import server as teacher_server
from tests import small_teachers

LENGTH = 6
ECHO, STATELESS = small_teachers.ECHO, small_teachers.STATELESS


class ServerTestCase(parameterized.TestCase):
    def _serve(
        self,
        teachers_of_task,
        num_teachers: int = 1,
        running: bool = True,
        **settings: float,
    ) -> teacher_server.TeacherServer:
        server = teacher_server.TeacherServer(
            teachers_of_task, num_teachers, **settings
        )
        stop = threading.Event()
        thread = threading.Thread(target=server.run, args=(stop,), daemon=True)
        # A thread in compiled code when the interpreter ends takes the process down.
        self.addCleanup(lambda: thread.is_alive() and thread.join(60))
        self.addCleanup(stop.set)
        self.stop, self.thread = stop, thread
        if running:
            thread.start()
        return server

    def _label(
        self, server, unroll, begin, end, state=None, task: int = 0, wanted=(True, True)
    ):
        return self._label_all(
            server, unroll, begin, end, state, task, np.array(wanted)
        )[:3]

    def _label_all(self, server, unroll, begin, end, state, task, wanted):
        observation = unroll.observation
        return server.label(
            task,
            wanted,
            observation.pixels[begin:end],
            observation.instruction[begin:end],
            observation.last_action[begin:end],
            observation.last_reward[begin:end],
            unroll.first[begin:end],
            state,
        )


def _one(batch: trajectory.Trajectory, index: int) -> trajectory.Trajectory:
    return jax.tree.map(lambda x: x[index], batch)


class CheckpointTeacherServerTest(ServerTestCase):
    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.create_tempdir().full_path, "teacher")
        params = small_teachers.save(self.folder)
        self.unrolls = small_teachers.unrolls(9, LENGTH)
        agent = Agent(small_teachers.SPEC, small_teachers.NETWORK)
        output, _ = jax.jit(agent.unroll)(
            params,
            jax.tree.map(lambda x: x[:, :-1], self.unrolls.observation),
            self.unrolls.first[:, :-1],
            agent.initial_state(9),
        )
        self.expected = np.asarray(output.logits)

    def test_slices_equal_one_long_pass(self):
        server = self._serve([[self.folder]])
        self.assertTrue(self.unrolls.first[:, 2:-1].any())
        for index in range(3):
            unroll = _one(self.unrolls, index)
            logits, mask, state = self._label(server, unroll, 0, 2)
            second, _, _ = self._label(server, unroll, 2, LENGTH, state)
            self.assertEqual(logits.shape, (1, 2, 3))
            np.testing.assert_array_equal(mask, np.ones((1, 2)))
            np.testing.assert_allclose(
                np.concatenate([logits[0], second[0]]),
                self.expected[index],
                rtol=1e-4,
                atol=1e-5,
            )

    def test_forgetting_the_state_would_be_seen(self):
        server = self._serve([[self.folder]])
        index = int(np.flatnonzero(~self.unrolls.first[:, 2])[0])
        forgotten, _, _ = self._label(server, _one(self.unrolls, index), 2, LENGTH)
        difference = np.abs(forgotten[0, 0] - self.expected[index, 2]).max()
        self.assertGreater(difference, 1e-3)

    def test_replicas_give_the_same_answer(self):
        one, other = self._serve([[self.folder]]), self._serve([[self.folder]])
        unroll = _one(self.unrolls, 0)
        logits, _, state = self._label(one, unroll, 0, 3)
        again, _, _ = self._label(other, unroll, 0, 3)
        np.testing.assert_array_equal(logits, again)
        np.testing.assert_array_equal(
            self._label(one, unroll, 3, LENGTH, state)[0],
            self._label(other, unroll, 3, LENGTH, state)[0],
        )
        self.assertEqual([leaf.shape for leaf in state[0]], [(8,), (8,)])

    def test_many_callers_are_answered_in_batches(self):
        server = self._serve([[self.folder]], running=False)
        with futures.ThreadPoolExecutor(9) as pool:
            answers = [
                pool.submit(self._label, server, _one(self.unrolls, index), 0, LENGTH)
                for index in range(9)
            ]
            # All nine wait before the server begins.
            while sum(map(len, server._waiting.values())) < 9:
                time.sleep(0.01)
            self.thread.start()
            for index, answer in enumerate(answers):
                np.testing.assert_allclose(
                    answer.result(60)[0][0], self.expected[index], rtol=1e-4, atol=1e-5
                )
        # The largest batch, and what is left.
        self.assertEqual(server.counters(), {"teacher_batches": 2.0})
        self.assertEqual(
            server.gauges(), {"teacher_batch_size": 4.5, "teachers_held_size": 1.0}
        )


class ObjectTeacherServerTest(ServerTestCase):
    def test_state_goes_round(self):
        server = self._serve([[ECHO]])
        unroll = _one(small_teachers.unrolls(1, LENGTH), 0)
        unroll = unroll._replace(first=np.arange(LENGTH + 1) == 4)
        logits, _, state = self._label(server, unroll, 0, 3)
        np.testing.assert_array_equal(logits[0, :, 1], [0, 1, 2])
        logits, _, state = self._label(server, unroll, 3, LENGTH, state)
        np.testing.assert_array_equal(logits[0, :, 1], [3, 0, 1])
        np.testing.assert_array_equal(
            logits[0, :, 2], unroll.observation.last_action[3:LENGTH]
        )
        self.assertEqual([leaf.tolist() for leaf in state[0]], [[3.0, 3.0], 2])

    def test_each_task_has_its_own_teachers(self):
        server = self._serve([[STATELESS], [ECHO, STATELESS], []], num_teachers=2)
        unroll = _one(small_teachers.unrolls(1, LENGTH), 0)._replace(
            first=np.zeros(LENGTH + 1, bool)
        )
        _, mask, state = self._label(server, unroll, 0, 2, task=0)
        np.testing.assert_array_equal(mask, [[1, 1], [0, 0]])
        self.assertEqual(state, [[]])
        logits, mask, state = self._label(server, unroll, 0, 2, task=1)
        np.testing.assert_array_equal(mask, [[1, 1], [1, 1]])
        np.testing.assert_array_equal(logits[0, :, 1], [0, 1])
        np.testing.assert_array_equal(logits[1], np.zeros((2, 3)))
        self.assertEqual([len(leaves) for leaves in state], [2, 0])
        logits, mask, state = self._label(server, unroll, 0, 2, task=2)
        self.assertFalse(mask.any())
        self.assertEqual(state, [])

    def test_only_wanted_teachers_answer_and_go_on(self):
        server = self._serve([[ECHO, ECHO, STATELESS]], num_teachers=3)
        unroll = _one(small_teachers.unrolls(1, LENGTH), 0)
        unroll = unroll._replace(first=np.zeros(LENGTH + 1, bool))
        _, _, state = self._label(server, unroll, 0, 2, wanted=[1, 1, 1])
        logits, mask, state = self._label(server, unroll, 2, 3, state, 0, [1, 0, 0])
        np.testing.assert_array_equal(mask[:, 0], [1, 0, 0])
        np.testing.assert_array_equal(logits[:, 0, 1], [2, 0, 0])
        self.assertEqual([each is None for each in state], [False, True, True])
        # Who missed a slice opens from the initial state.
        logits, mask, _ = self._label(server, unroll, 3, 4, state, 0, [1, 1, 1])
        np.testing.assert_array_equal(mask[:, 0], [1, 1, 1])
        np.testing.assert_array_equal(logits[:, 0, 1], [3, 0, 0])

    def test_where_nobody_is_wanted_there_is_no_work(self):
        # Not running: a request would never be answered.
        server = self._serve([[ECHO, STATELESS]], num_teachers=2, running=False)
        unroll = _one(small_teachers.unrolls(1, LENGTH), 0)
        logits, mask, state = self._label(server, unroll, 0, 2, wanted=[0, 0])
        self.assertEqual(logits.shape, (2, 2, 3))
        self.assertFalse(mask.any())
        self.assertEqual(state, [None, None])

    def test_each_batch_is_of_one_teacher_and_turns_go_round(self):
        server = self._serve([[ECHO], [STATELESS]], running=False)
        unroll = _one(small_teachers.unrolls(1, LENGTH), 0)
        # Ten wait for the first teacher, of whom eight fit a batch; then one more each.
        tasks = [0] * 10 + [1, 0, 1]
        with futures.ThreadPoolExecutor(len(tasks)) as pool:
            answers = []
            for number, task in enumerate(tasks):
                answers.append(
                    pool.submit(self._label, server, unroll, 0, 2, None, task)
                )
                while sum(map(len, server._waiting.values())) <= number:
                    time.sleep(0.001)
            taken = []
            while server._waiting:
                index, requests = server._take_batch()
                taken.append((index, len(requests)))
                server._answer(index, requests)
            for answer in answers:
                np.testing.assert_array_equal(answer.result(60)[1], 1)
        self.assertEqual(taken, [(0, 8), (1, 2), (0, 3)])

    def test_a_teacher_that_fails_is_counted_and_costs_its_own_advice_alone(self):
        server = self._serve([[STATELESS, ECHO]], num_teachers=2)
        unroll = _one(small_teachers.unrolls(1, LENGTH), 0)
        bad = unroll._replace(
            observation=unroll.observation._replace(
                last_action=np.full(LENGTH + 1, 99, np.int32)
            )
        )
        with self.assertLogs(level="WARNING") as logs:
            for _ in range(2):
                logits, mask, state = self._label(server, bad, 0, 2)
                np.testing.assert_array_equal(mask, [[0, 0], [1, 1]])
                np.testing.assert_array_equal(logits[1, :, 2], [99, 99])
                self.assertIsNone(state[0])
                self.assertIsNotNone(state[1])
        self.assertLen(logs.output, 1)
        for words in (STATELESS, "RuntimeError", "does not like 99"):
            self.assertIn(words, logs.output[0])
        self.assertEqual(server.counters()[f"failed_answers/{STATELESS}"], 2)
        _, mask, _ = self._label(server, unroll, 0, 2)
        np.testing.assert_array_equal(mask, 1)

    def test_a_teacher_that_hangs_is_told_of_and_the_others_go_on(self):
        server = self._serve([[STATELESS, ECHO]], num_teachers=2, hangs_seconds=0.5)
        unroll = _one(small_teachers.unrolls(1, LENGTH), 0)
        may_go_on = threading.Event()
        self.addCleanup(may_go_on.set)
        teacher = server._held[server._names.index(STATELESS)].teacher
        label = teacher.label

        def hanging(*slices):
            may_go_on.wait()
            return label(*slices)

        with (
            mock.patch.object(teacher, "label", hanging),
            self.assertLogs(level="WARNING") as logs,
        ):
            for _ in range(3):
                _, mask, _ = self._label(server, unroll, 0, 2)
                np.testing.assert_array_equal(mask, [[0, 0], [1, 1]])
        self.assertLen(logs.output, 1)
        self.assertIn(f"Teacher {STATELESS!r} hangs: no answer within", logs.output[0])
        self.assertEqual(server.counters()[f"failed_answers/{STATELESS}"], 3)
        may_go_on.set()
        deadline = time.monotonic() + 60
        # It answers again once it is back.
        while not self._label(server, unroll, 0, 2)[1].all():
            self.assertLess(time.monotonic(), deadline)

    @parameterized.parameters(np.nan, np.inf, -np.inf)
    def test_an_answer_that_is_not_finite_is_left_out_and_counted(self, value):
        broken = small_teachers.BROKEN
        server = self._serve([[broken]], running=False)
        server._held[0].teacher.logits[:] = value
        self.thread.start()
        unroll = _one(small_teachers.unrolls(1, LENGTH), 0)
        logits, mask, state = self._label(server, unroll, 0, 2)
        self.assertFalse(mask.any())
        np.testing.assert_array_equal(logits, 0)
        self.assertEqual(state, [None])
        self.assertEqual(server.counters()[f"not_finite_answers/{broken}"], 1)
        # A probability of 0 is advice.
        server._held[0].teacher.logits[:] = [0, -np.inf, -np.inf]
        _, mask, _ = self._label(server, unroll, 0, 2)
        np.testing.assert_array_equal(mask, 1)

    @parameterized.parameters(((4,),), ((3, 1),), ((),))
    def test_an_answer_of_another_shape_is_counted_and_the_server_goes_on(self, shape):
        broken = small_teachers.BROKEN
        server = self._serve([[broken]], running=False)
        server._held[0].teacher.logits = np.zeros(shape, np.float32)
        self.thread.start()
        unroll = _one(small_teachers.unrolls(1, LENGTH), 0)
        for count in (1, 2):
            _, mask, _ = self._label(server, unroll, 0, 2)
            self.assertFalse(mask.any())
            counted = server.counters()[f"failed_answers/{broken}"]
            self.assertEqual(counted, count)

    def test_a_teacher_is_freed_once_no_task_needs_it(self):
        server = self._serve([[ECHO], [ECHO, STATELESS]], num_teachers=2)
        unroll = _one(small_teachers.unrolls(1, LENGTH), 0)
        held = weakref.ref(server._held[0].teacher)
        self.assertIsInstance(held(), small_teachers.EchoTeacher)
        self.assertEqual(server.drop_unneeded(np.array([[1, 1], [0, 0]], bool)), 0)
        _, mask, state = self._label(server, unroll, 0, 2, None, 1)
        np.testing.assert_array_equal(mask[:, 0], [1, 1])
        self.assertEqual(server.drop_unneeded(np.array([[1, 1], [1, 0]], bool)), 1)
        # The thread that answers lets go of its last batch when it takes another.
        _, mask, state = self._label(server, unroll, 2, 4, state, 1)
        np.testing.assert_array_equal(mask[:, 0], [0, 1])
        self.assertEqual(state, [None, []])
        gc.collect()
        self.assertIsNone(held())
        self.assertEqual(server.gauges()["teachers_held_size"], 1)
        self.assertEqual(server.drop_unneeded(np.array([[1, 1], [1, 0]], bool)), 0)

    def test_a_call_that_waits_for_a_dropped_teacher_is_let_go(self):
        server = self._serve([[ECHO]], running=False)
        unroll = _one(small_teachers.unrolls(1, LENGTH), 0)
        with futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self._label, server, unroll, 0, 2)
            while not server._waiting:
                time.sleep(0.001)
            server.drop_unneeded(np.ones((1, 1), bool))
            self.thread.start()
            _, mask, state = answer.result(60)
        self.assertFalse(mask.any())
        self.assertEqual(state, [None])

    def test_the_server_ends_when_told(self):
        self._serve([[STATELESS]])
        self.stop.set()
        self.thread.join(20)
        self.assertFalse(self.thread.is_alive())

    def test_a_call_that_comes_with_the_stop_is_let_go_unanswered(self):
        server = self._serve([[STATELESS]])
        unroll = _one(small_teachers.unrolls(1, LENGTH), 0)
        _, answered, states = self._label(server, unroll, 0, 2)
        np.testing.assert_array_equal(answered, 1)
        self.stop.set()
        self.thread.join(20)
        start = time.monotonic()
        logits, answered, after = self._label(server, unroll, 2, 4, states)
        self.assertLess(time.monotonic() - start, 10)
        np.testing.assert_array_equal(answered, np.zeros((1, 2)))
        np.testing.assert_array_equal(logits, 0)
        self.assertEqual(states, [[]])
        self.assertEqual(after, [None])


if __name__ == "__main__":
    absltest.main()
