"""A teacher server of the same process, called as those of other processes are."""

import threading

import numpy as np
from absl.testing import absltest

from kickstarting.teaching.local import LocalReplica
from kickstarting.teaching.replicas import RemoteTeacher
from kickstarting.teaching.server import TeacherServer
from tests import background, small_teachers

LENGTH = 4
_SECONDS = 60.0


class LocalReplicaTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        names = [[small_teachers.ECHO], [small_teachers.STATELESS]]
        self.server = TeacherServer(names, 1)
        self.replica = LocalReplica(self.server)
        self.addCleanup(self.replica.close)
        self.unrolls = small_teachers.unrolls(8, LENGTH)

    def _unroll(self, number: int):
        observation = self.unrolls.observation
        return self.unrolls._replace(
            observation=observation._replace(
                **{name: array[number] for name, array in observation._asdict().items()}
            ),
            first=self.unrolls.first[number],
        )

    def test_many_calls_are_answered_at_once_each_its_own(self):
        teacher = RemoteTeacher([self.replica])
        wanted = np.ones(1, bool)
        answers = [
            teacher.label(0, wanted, self._unroll(number), None) for number in range(8)
        ]
        # The server does not run yet: nobody has waited for it.
        self.assertFalse(any(answer.done() for answer in answers))
        background.start(self, self.server.run)
        for number, answer in enumerate(answers):
            logits, mask, state, _ = answer.result(_SECONDS)
            np.testing.assert_array_equal(mask, 1.0)
            np.testing.assert_array_equal(
                logits[0, :, 2], self.unrolls.observation.last_action[number, :-1]
            )
            self.assertLen(state, 1)
        self.assertEqual(teacher.resting, 0)

    def test_what_a_teacher_fails_with_costs_an_answer_alone(self):
        background.start(self, self.server.run)
        teacher = RemoteTeacher([self.replica])
        bad = self._unroll(0)
        bad.observation.last_action[:] = 99
        with self.assertLogs("absl", "WARNING") as logs:
            _, mask, _, _ = teacher.label(1, np.ones(1, bool), bad, None).result(
                _SECONDS
            )
        np.testing.assert_array_equal(mask, 0.0)
        self.assertIn("does not like 99", logs.output[0])
        # Other teachers of the server still answer.
        self.assertEqual(teacher.resting, 0)

    def test_a_call_that_waits_ends_with_the_server(self):
        stop = threading.Event()
        stop.set()
        self.server.run(stop)
        answer = self.replica.label(
            0,
            np.ones(1, bool),
            *(array[:-1] for array in self._unroll(0).observation),
            self.unrolls.first[0, :-1],
            None,
        )
        _, mask, _, _ = answer.result(_SECONDS)
        np.testing.assert_array_equal(mask, 0.0)

    def test_once_closed_it_takes_no_calls(self):
        self.replica.close()
        with self.assertRaises(RuntimeError):
            self.replica.label(0)


if __name__ == "__main__":
    absltest.main()
