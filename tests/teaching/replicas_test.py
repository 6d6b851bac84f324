"""The breaker: turns, rests that grow, probes, calls that are given up."""

import concurrent.futures
from typing import Any

import jax
import numpy as np
from absl.testing import absltest

from kickstarting.teaching import replicas as remote_teacher
from tests import small_teachers

LENGTH = 6
WANTED = np.array([True])


class Client:
    """A Courier client whose futures the test answers."""

    def __init__(self) -> None:
        self.futures = self
        self.asked: list[tuple[Any, ...]] = []
        self.answers: list[concurrent.futures.Future] = []

    def label(self, *arguments: Any) -> concurrent.futures.Future:
        self.asked.append(arguments)
        self.answers.append(concurrent.futures.Future())
        return self.answers[-1]


class RemoteTeacherTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.now = 100.0
        self.clients = [Client(), Client()]
        self.unroll = small_teachers.unrolls(1, LENGTH)
        self.unroll = jax.tree.map(lambda x: x[0], self.unroll)

    def _remote(self, count: int) -> remote_teacher.RemoteTeacher:
        return remote_teacher.RemoteTeacher(self.clients[:count], lambda: self.now)

    def _ask(self, remote, state: Any = None):
        return remote.label(4, WANTED, self.unroll, state)

    def _fail(self, answer, future: int, client: int = 0) -> None:
        self.clients[client].answers[future].set_exception(ConnectionError("gone"))
        with self.assertRaisesRegex(ConnectionError, "gone"):
            answer.result(1.0)

    def _counts(self) -> list[int]:
        return [len(client.asked) for client in self.clients]

    def test_replicas_are_asked_in_turn_without_the_last_observation(self):
        remote = self._remote(2)
        answers = [self._ask(remote, "state") for _ in range(4)]
        self.assertEqual(self._counts(), [2, 2])
        self.assertFalse(answers[0].done())
        task, wanted, *arrays, state = self.clients[0].asked[0]
        self.assertEqual((task, wanted, state), (4, WANTED, "state"))
        self.assertEqual({len(array) for array in arrays}, {LENGTH})
        np.testing.assert_array_equal(arrays[0], self.unroll.observation.pixels[:-1])
        np.testing.assert_array_equal(arrays[-1], self.unroll.first[:-1])
        for client in self.clients:
            for number, answer in enumerate(client.answers):
                answer.set_result((id(client), number))
        self.assertLen({answer.result(1.0) for answer in answers}, 4)
        self.assertEqual(remote.resting, 0)

    def test_where_all_rest_there_is_nothing_to_wait_for(self):
        remote = self._remote(1)
        self._fail(self._ask(remote), 0)
        self.assertEqual(remote.resting, 1)
        self.assertIsNone(self._ask(remote))
        self.assertEqual(self._counts(), [1, 0])

    def test_no_answer_in_time_is_a_failure(self):
        remote = self._remote(1)
        with self.assertRaises(concurrent.futures.TimeoutError):
            self._ask(remote).result(0.01)
        self.assertIsNone(self._ask(remote))

    def test_the_other_replicas_take_over(self):
        remote = self._remote(2)
        answers = [self._ask(remote), self._ask(remote)]
        self.clients[0].answers[0].set_exception(ConnectionError("gone"))
        failed = next(answer for answer in answers if answer.done())
        with self.assertRaises(ConnectionError):
            failed.result(1.0)
        for _ in range(3):
            self.assertIsNotNone(self._ask(remote))
        self.assertEqual(self._counts(), [1, 4])
        self.assertEqual(remote.resting, 1)

    def test_calls_that_wait_for_a_failed_replica_are_given_up(self):
        remote = self._remote(1)
        first, second, third = (self._ask(remote) for _ in range(3))
        self.clients[0].answers[2].set_result("in time")
        self.assertFalse(second.done())
        self._fail(first, 0)
        self.assertTrue(second.done())
        with self.assertRaises(remote_teacher.ReplicaRests):
            second.result(60.0)
        self.assertEqual(third.result(1.0), "in time")

    def test_a_probe_ends_the_rest_and_nobody_waits_for_it(self):
        remote = self._remote(1)
        self._fail(self._ask(remote), 0)
        self.now += 0.9
        self.assertIsNone(self._ask(remote))
        self.assertEqual(self._counts(), [1, 0])
        self.now += 0.2
        # One probe, however many unrolls come.
        self.assertIsNone(self._ask(remote))
        self.assertIsNone(self._ask(remote))
        self.assertEqual(self._counts(), [2, 0])
        self.clients[0].answers[1].set_result("well again")
        self.assertFalse(self._ask(remote).done())
        self.assertEqual(remote.resting, 0)
        self.assertEqual(self._counts(), [3, 0])

    def _rest(self, remote) -> float:
        """Returns how long the rest lasts until the next probe, which fails."""
        start = self.now
        asked = len(self.clients[0].asked)
        while len(self.clients[0].asked) == asked:
            self.now += 0.125
            self.assertIsNone(self._ask(remote))
        self.clients[0].answers[-1].set_exception(ConnectionError("still gone"))
        seconds = self.now - start
        self.assertIsNone(self._ask(remote))
        return seconds

    def test_rests_double_up_to_a_bound(self):
        remote = self._remote(1)
        self._fail(self._ask(remote), 0)
        rests = [self._rest(remote) for _ in range(8)]
        np.testing.assert_allclose(rests, [1, 2, 4, 8, 16, 30, 30, 30])

    def test_only_an_answer_that_is_used_makes_rests_short_again(self):
        remote = self._remote(1)
        self._fail(self._ask(remote), 0)
        self.now += 1
        self._ask(remote)
        self.clients[0].answers[-1].set_result("the probe's")
        self._fail(self._ask(remote), -1)
        self.assertEqual(self._rest(remote), 2)
        self.now += 4
        self._ask(remote)
        self.clients[0].answers[-1].set_result("the probe's")
        answer = self._ask(remote)
        self.clients[0].answers[-1].set_result("an answer")
        self.assertEqual(answer.result(1.0), "an answer")
        self._fail(self._ask(remote), -1)
        self.assertEqual(self._rest(remote), 1)


if __name__ == "__main__":
    absltest.main()
