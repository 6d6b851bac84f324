"""Teachers that could never teach are found out before training."""

import time
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from kickstarting.agent import trajectory
from kickstarting.teaching import first_question
from kickstarting.teaching.cards import TeacherError
from tests import small_teachers

SPEC = small_teachers.SPEC
LENGTH = 5


class _Raises(small_teachers.StatelessTeacher):
    def label(self, observation, first, state):
        raise KeyError("no\nsuch policy")


class _Slow(small_teachers.StatelessTeacher):
    def label(self, observation, first, state):
        time.sleep(10)


class _LooksForItself(small_teachers.StatelessTeacher):
    def label(self, observation, first, state):
        np.argwhere(observation.pixels[0, 0])[0]
        return super().label(observation, first, state)


class _ForgetsState(small_teachers.EchoTeacher):
    def label(self, observation, first, state):
        return super().label(observation, first, state)[0], ()


class _LogitsAlone(small_teachers.StatelessTeacher):
    def label(self, observation, first, state):
        return np.zeros((*first.shape, 3), np.float32)


class _NoState(small_teachers.StatelessTeacher):
    def initial_state(self, batch_size):
        raise ValueError("no weights")


def _broken(logits) -> small_teachers.BrokenTeacher:
    teacher = small_teachers.BrokenTeacher()
    teacher.logits = np.array(logits, np.float32)
    return teacher


class FirstQuestionTest(parameterized.TestCase):
    def _check(self, teacher) -> None:
        self.environments = 0

        def real() -> trajectory.Observation:
            self.environments += 1
            return trajectory.Observation(
                np.ones(SPEC.frame_shape, np.uint8),
                np.ones(SPEC.instruction_length, np.int32),
                np.zeros((), np.int32),
                np.zeros((), np.float32),
            )

        first_question.check("bots:make", teacher, SPEC, LENGTH, real)

    @parameterized.parameters(
        small_teachers.EchoTeacher,
        small_teachers.StatelessTeacher,
        lambda: _broken([0, -np.inf, -np.inf]),
    )
    def test_a_sound_teacher_needs_no_environment(self, make):
        self._check(make())
        self.assertEqual(self.environments, 0)

    def test_a_teacher_that_fails_at_an_empty_frame_alone_is_sound(self):
        self._check(_LooksForItself())
        self.assertEqual(self.environments, 1)

    @parameterized.parameters(
        (_Raises, "raised KeyError ('no\\nsuch policy')"),
        (_ForgetsState, "answered a state of the shapes []"),
        (_LogitsAlone, "answered logits of shape (5, 3), not (2, 5, 3)"),
        (_NoState, "has no initial state (ValueError('no weights'))"),
        (lambda: _broken([0, 0]), "answered logits of shape (2, 5, 2), not (2, 5, 3)"),
        (lambda: _broken([0, np.nan, 0]), "answered logits that are not finite"),
    )
    def test_another_one_is_refused_in_one_line(self, make, words):
        with self.assertRaises(TeacherError) as refused:
            self._check(make())
        said = str(refused.exception)
        self.assertStartsWith(said, f"teacher 'bots:make' {words}")
        self.assertEndsWith(said, "mend it, or choose another one")
        self.assertNotIn("\n", said)

    def test_one_that_never_answers_is_refused(self):
        with (
            mock.patch.object(first_question, "_ANSWER_SECONDS", 0.2),
            self.assertRaisesRegex(TeacherError, "gave no answer in 0 seconds"),
        ):
            self._check(_Slow())


if __name__ == "__main__":
    absltest.main()
