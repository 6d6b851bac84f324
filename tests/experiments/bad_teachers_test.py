"""Bad teachers are as bad as they claim."""

import numpy as np
from absl.testing import absltest, parameterized

from experiments import bad_teachers, catalogue
from kickstarting.agent import trajectory
from kickstarting.environments import suites
from kickstarting.teaching import teachers

_SPEC = suites.environment_spec("doom:defend_the_center")


def _observation(batch: int, length: int) -> trajectory.Observation:
    random = np.random.default_rng(0)
    shape = (batch, length)
    return trajectory.Observation(
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
        good = teachers.CheckpointTeacher(
            "teachers/study/doom_published/defend_the_center"
        )
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

    @parameterized.parameters(
        "bad_teachers_center", "bad_teachers_line", "question_teacher_quality"
    )
    def test_each_of_the_experiments_can_be_named(self, name):
        experiment = catalogue.load(name)
        spec = suites.environment_spec(experiment.tasks[0])
        sources = [
            str(teacher.source)
            for condition in experiment.conditions
            for teacher in condition.teachers
            if teacher.training is None
        ]
        self.assertNotEmpty(sources)
        for source in sources:
            teachers.check_matches(source, teachers.load(source), spec)


if __name__ == "__main__":
    absltest.main()
