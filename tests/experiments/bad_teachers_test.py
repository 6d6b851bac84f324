"""Bad teachers are as bad as they claim, and the study of them refuses bad flags."""

import contextlib
import io

import numpy as np
from absl.testing import absltest, flagsaver, parameterized

from experiments import bad_teacher_study, bad_teachers
from kickstarting import teachers, types
from kickstarting.environments import suites
from launch import command_line

_SPEC = suites.environment_spec("doom:defend_the_center")


def _observation(batch: int, length: int) -> types.Observation:
    random = np.random.default_rng(0)
    shape = (batch, length)
    return types.Observation(
        random.integers(0, 256, (*shape, *_SPEC.frame_shape), np.uint8),
        np.zeros((*shape, 0), np.int32),
        random.integers(0, _SPEC.num_actions, shape, np.int32),
        np.zeros(shape, np.float32),
    )


def _policy(logits: np.ndarray) -> np.ndarray:
    exps = np.exp(logits - logits.max(-1, keepdims=True))
    return exps / exps.sum(-1, keepdims=True)


class BadTeachersTest(parameterized.TestCase):
    def test_the_adversary_does_what_the_teacher_would_least(self):
        observation, first = _observation(2, 3), np.zeros((2, 3), bool)
        good = teachers.CheckpointTeacher("teachers/doom/defend_the_center")
        bad = bad_teachers.adversary_in_defend_the_center()
        state = good.initial_state(2)
        logits, good_state = good.label(observation, first, state)
        advice, bad_state = bad.label(observation, first, bad.initial_state(2))
        worst = np.argmin(logits, axis=-1)
        np.testing.assert_array_equal(np.argmax(advice, axis=-1), worst)
        self.assertGreater(_policy(advice).max(axis=-1).min(), 0.999)
        np.testing.assert_array_equal(good_state.cell, bad_state.cell)
        self.assertEqual(bad.action_names, _SPEC.action_names)

    def test_the_random_one_has_no_preference(self):
        teacher = bad_teachers.random_in_doom()
        advice, _ = teacher.label(
            _observation(1, 4), np.zeros((1, 4), bool), teacher.initial_state(1)
        )
        np.testing.assert_allclose(_policy(advice), 1 / _SPEC.num_actions)

    @parameterized.parameters(*bad_teacher_study._TEACHERS.values())
    def test_each_of_the_study_can_be_named(self, name):
        for level in ("defend_the_center", "defend_the_line"):
            teacher = teachers.load(name.format(level=level))
            teachers.check_matches(name, teacher, _SPEC)

    @parameterized.parameters(
        ("--kinds=evil", "--kinds are among adversarial"),
        ("--seeds=one", "--seeds are numbers"),
        ("--frames=0", "--frames must be above 0"),
        ("--tasks=", "--tasks must name at least one"),
        ("--tasks=doom:nothing", "no level 'nothing'"),
        ("--report_only", "no finished run of this study"),
    )
    def test_one_line_before_anything_is_trained(self, argument, message):
        nowhere = self.create_tempdir().full_path
        errors = io.StringIO()
        with flagsaver.flagsaver(), contextlib.redirect_stderr(errors):
            status = command_line.status(
                bad_teacher_study.main,
                [
                    "bad_teacher_study",
                    f"--results={nowhere}/results",
                    f"--records={nowhere}/records",
                    f"--scratch_records={nowhere}/scratch",
                    argument,
                ],
            )
        self.assertEqual(status, command_line.USAGE_STATUS)
        self.assertIn(message, errors.getvalue())
        self.assertEqual(errors.getvalue().count("\n"), 1)


if __name__ == "__main__":
    absltest.main()
