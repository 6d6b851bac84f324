"""Cross-entropy, divergence and agreement of a student and its teachers."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kickstarting.config import agent as agent_config
from kickstarting.loss import distillation

_logits = hnp.arrays(np.float32, (2, 3, 4), elements=st.floats(-20, 20, width=32))


def _softmax(logits: np.ndarray) -> np.ndarray:
    exps = np.exp(logits - logits.max(-1, keepdims=True))
    return exps / exps.sum(-1, keepdims=True)


# Compiled: many examples are tried.
_cross_entropy = jax.jit(distillation.cross_entropy)
_loss = jax.jit(distillation.loss, static_argnums=(2, 3))


@jax.jit
@functools.partial(jax.grad, argnums=(0, 1))
def _gradients_of_cross_entropy(teacher, student):
    return jnp.sum(distillation.cross_entropy(teacher, student))


@jax.jit
@jax.grad
def _gradient_of_divergence_from_uniform(student):
    count = student.shape[-1]
    log_policy = jax.nn.log_softmax(student)
    return jnp.sum((-jnp.log(float(count)) - log_policy) / count)


class CrossEntropyTest(absltest.TestCase):
    @settings(deadline=None)
    @given(teacher=_logits, student=_logits)
    def test_equals_numpy(self, teacher, student):
        expected = -np.sum(_softmax(teacher) * np.log(_softmax(student)), axis=-1)
        actual = _cross_entropy(teacher, student)
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)

    @settings(deadline=None)
    @given(teacher=_logits, student=_logits)
    def test_gradient_is_student_minus_teacher(self, teacher, student):
        by_teacher, by_student = _gradients_of_cross_entropy(teacher, student)
        expected = _softmax(student) - _softmax(teacher)
        np.testing.assert_allclose(by_student, expected, atol=1e-5)
        np.testing.assert_array_equal(by_teacher, 0.0)

    @settings(deadline=None)
    @given(student=_logits)
    def test_uniform_teacher_pulls_towards_uniform(self, student):
        """Its gradient is that of KL(uniform ‖ student), for any height of logits."""
        uniform = np.full(student.shape, 3.0, np.float32)
        _, by_student = _gradients_of_cross_entropy(uniform, student)
        np.testing.assert_allclose(
            by_student, _gradient_of_divergence_from_uniform(student), atol=1e-5
        )

    def test_certain_teacher_with_infinite_logits(self):
        teacher = jnp.array([0.0, -jnp.inf, -jnp.inf])
        student = jnp.array([1.0, 2.0, 3.0])
        self.assertAlmostEqual(
            float(distillation.cross_entropy(teacher, student)),
            -float(jax.nn.log_softmax(student)[0]),
            places=5,
        )


_moderate_logits = hnp.arrays(
    np.float32, (2, 3, 4), elements=st.floats(-5, 5, width=32)
)


class LossTest(parameterized.TestCase):
    @settings(deadline=None)
    @given(teacher=_moderate_logits, student=_moderate_logits)
    def test_cross_entropy_gradient(self, teacher, student):
        """τ (softmax(student / τ) − softmax(teacher / τ))."""
        gradient = _gradient(teacher, student, "cross_entropy", 2.0)
        expected = 2 * (_softmax(student / 2) - _softmax(teacher / 2))
        np.testing.assert_allclose(gradient, expected, atol=1e-4)

    @settings(deadline=None)
    @given(
        teacher=_moderate_logits,
        student=_moderate_logits,
        temperature=st.sampled_from([0.5, 1.0, 2.0]),
    )
    def test_reverse_kl_gradient(self, teacher, student, temperature):
        """τ S (log(S / T) − KL(S ‖ T))."""
        p = _softmax(student / temperature)
        ratio = np.log(p) - np.log(_softmax(teacher / temperature))
        divergence = np.sum(p * ratio, axis=-1, keepdims=True)
        np.testing.assert_allclose(
            _gradient(teacher, student, "reverse_kl", temperature),
            temperature * p * (ratio - divergence),
            rtol=1e-3,
            atol=1e-3,
        )

    @settings(deadline=None)
    @given(
        teacher=_moderate_logits,
        student=_moderate_logits,
        temperature=st.sampled_from([0.5, 1.0, 2.0]),
    )
    def test_jensen_shannon_gradient(self, teacher, student, temperature):
        """τ S (log(S / M) − KL(S ‖ M)) / 2, with M the mean of both policies."""
        p = _softmax(student / temperature)
        mean = (p + _softmax(teacher / temperature)) / 2
        ratio = np.log(p) - np.log(mean)
        divergence = np.sum(p * ratio, axis=-1, keepdims=True)
        np.testing.assert_allclose(
            _gradient(teacher, student, "jensen_shannon", temperature),
            temperature * p * (ratio - divergence) / 2,
            rtol=1e-3,
            atol=1e-3,
        )

    @settings(deadline=None)
    @given(teacher=_logits, student=_logits)
    def test_jensen_shannon_is_symmetric_and_bounded(self, teacher, student):
        one = _loss(teacher, student, "jensen_shannon", 1.0)
        other = _loss(student, teacher, "jensen_shannon", 1.0)
        np.testing.assert_allclose(one, other, atol=1e-5)
        self.assertLessEqual(float(one.max()), np.log(2) + 1e-5)
        self.assertGreaterEqual(float(one.min()), -1e-5)

    @settings(deadline=None)
    @given(teacher=_moderate_logits, student=_moderate_logits)
    def test_expected_entropy_gradient(self, teacher, student):
        """−S (log T − Σ S log T), which vanishes for an action that is certain."""
        policy, log_teacher = _softmax(student), np.log(_softmax(teacher))
        mean = np.sum(policy * log_teacher, axis=-1, keepdims=True)
        np.testing.assert_allclose(
            _gradient(teacher, student, "expected_entropy", 1.0),
            -policy * (log_teacher - mean),
            atol=1e-4,
        )

    @parameterized.parameters("cross_entropy", "reverse_kl", "jensen_shannon")
    def test_an_equal_student_stays(self, form):
        logits = np.array([1.0, -2.0, 0.5], np.float32)
        np.testing.assert_allclose(_gradient(logits, logits, form, 1.5), 0, atol=1e-6)

    @parameterized.parameters(*agent_config.DISTILLATIONS)
    def test_a_certain_teacher_gives_finite_gradients_and_gets_none(self, form):
        teacher = jnp.array([0.0, -jnp.inf, -jnp.inf])
        student = jnp.array([1.0, 2.0, 3.0])
        self.assertTrue(np.isfinite(_gradient(teacher, student, form, 1.0)).all())
        by_teacher = jax.grad(distillation.loss)(
            jnp.array([0.0, 1.0, 2.0]), student, form, 1.0
        )
        np.testing.assert_array_equal(by_teacher, 0.0)

    def test_an_unknown_form_is_refused(self):
        with self.assertRaisesRegex(ValueError, "'kl'"):
            distillation.loss(jnp.zeros(2), jnp.zeros(2), "kl", 1.0)


@functools.partial(jax.jit, static_argnums=(2, 3))
def _gradient(teacher, student, form, temperature):
    return jax.grad(
        lambda student: jnp.sum(distillation.loss(teacher, student, form, temperature))
    )(student)


@jax.jit
def _compare(student, teachers, mask):
    return distillation.compare(student, teachers, mask, "cross_entropy", 1.0)


class EntropyTest(absltest.TestCase):
    def test_uniform_and_certain(self):
        logits = jnp.array([[0.0, 0.0, 0.0, 0.0], [100.0, 0.0, 0.0, 0.0]])
        np.testing.assert_allclose(
            distillation.entropy(logits), [np.log(4), 0.0], atol=1e-6
        )


class CompareTest(absltest.TestCase):
    @settings(deadline=None)
    @given(teacher=_logits, student=_logits)
    def test_divergence_is_kl_and_not_negative(self, teacher, student):
        student = student[0]
        compared = _compare(student, teacher, np.ones((2, 3), np.float32))
        p, q = _softmax(teacher), _softmax(student)[None]
        np.testing.assert_allclose(
            compared.divergence,
            np.sum(p * (np.log(p) - np.log(q)), axis=-1),
            rtol=1e-3,
            atol=1e-4,
        )
        self.assertGreaterEqual(float(compared.divergence.min()), -1e-4)

    def test_each_teacher_is_compared_alone(self):
        student = jnp.array([[2.0, 0.0], [2.0, 0.0]])
        teachers = jnp.stack([student, -student])
        compared = _compare(student, teachers, jnp.ones((2, 2)))
        np.testing.assert_allclose(compared.divergence[0], 0.0, atol=1e-6)
        self.assertGreater(float(compared.divergence[1].min()), 0.5)
        np.testing.assert_array_equal(compared.agreement, [[1, 1], [0, 0]])

    def test_what_no_teacher_answered_counts_nothing(self):
        student = jnp.array([[1.0, 0.0], [0.5, 0.0]])
        teachers = jnp.array([[[0.0, 2.0], [jnp.nan, jnp.nan]]])
        mask = jnp.array([[1.0, 0.0]])

        def total(student):
            return jnp.sum(_compare(student, teachers, mask).loss)

        gradient = jax.grad(total)(student)
        np.testing.assert_allclose(
            gradient[0], _softmax(student[0]) - _softmax(teachers[0, 0]), atol=1e-6
        )
        np.testing.assert_array_equal(gradient[1], 0.0)
        compared = _compare(student, teachers, mask)
        for field in compared:
            self.assertEqual(float(field[0, 1]), 0.0)

    def test_certain_teacher_has_a_finite_divergence(self):
        student = jnp.array([[1.0, 0.0]])
        teachers = jnp.array([[[0.0, -jnp.inf]]])
        compared = _compare(student, teachers, jnp.ones((1, 1)))
        np.testing.assert_allclose(
            compared.divergence, compared.cross_entropy, rtol=1e-6
        )

    def test_another_action_set_is_refused(self):
        with self.assertRaises(AssertionError):
            _compare(jnp.zeros((3, 4)), jnp.zeros((1, 3, 5)), jnp.ones((1, 3)))


class KickstartingLossTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(3)
        self.student = random.normal(size=(2, 5, 4)).astype(np.float32)
        self.teacher = random.normal(size=(2, 5, 4)).astype(np.float32)
        self.mask = np.array([[1, 1, 0, 1, 1], [0, 0, 0, 1, 0]], np.float32)

    @parameterized.parameters(*agent_config.DISTILLATIONS)
    def test_is_the_weighted_sum_over_what_was_answered(self, form):
        distance = distillation.loss(self.teacher, self.student, form, 2.0)
        weight = np.linspace(0.5, 4.0, 10, dtype=np.float32).reshape(2, 5)
        for λ in (3.0, weight):
            np.testing.assert_allclose(
                distillation.kickstarting_loss(
                    self.student, self.teacher, λ, self.mask, form, 2.0
                ),
                np.sum(λ * distance * self.mask),
                rtol=1e-5,
            )
        np.testing.assert_allclose(
            distillation.kickstarting_loss(
                self.student, self.teacher, 3.0, form=form, temperature=2.0
            ),
            3.0 * np.sum(distance),
            rtol=1e-5,
        )

    def test_is_the_term_of_the_learner(self):
        compared = distillation.compare(
            self.student[0], self.teacher, self.mask, "cross_entropy", 1.0
        )
        terms = [
            distillation.kickstarting_loss(self.student[0], logits, λ, mask)
            for logits, λ, mask in zip(self.teacher, (4.0, 2.0), self.mask, strict=True)
        ]
        weight = np.array([[4.0], [2.0]])
        np.testing.assert_allclose(sum(terms), np.sum(weight * compared.loss), 1e-5)

    def test_what_was_not_answered_spoils_no_gradient(self):
        unknown = np.where(self.mask[..., None] > 0, self.teacher, np.nan)
        gradient = jax.grad(distillation.kickstarting_loss)(
            self.student, unknown, 1.0, self.mask
        )
        self.assertTrue(np.isfinite(gradient).all())
        np.testing.assert_array_equal(gradient[self.mask == 0], 0.0)

    @parameterized.product(form=agent_config.DISTILLATIONS, offered=([0, 2, 3], [1]))
    def test_is_over_the_available_actions(self, form, offered):
        available = np.zeros(self.student.shape, bool)
        available[..., offered] = True

        def term(student, teacher, **arguments):
            return distillation.kickstarting_loss(
                student, teacher, 3.0, self.mask, form, 2.0, **arguments
            )

        value_and_gradient = jax.jit(jax.value_and_grad(term))
        expected, expected_gradient = value_and_gradient(
            self.student[..., offered], self.teacher[..., offered]
        )
        for nonsense in (np.nan, -np.inf, 30.0):
            value, gradient = value_and_gradient(
                np.where(available, self.student, nonsense),
                np.where(available, self.teacher, nonsense),
                available_actions=available,
            )
            np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(
                gradient[..., offered], expected_gradient, rtol=1e-5, atol=1e-6
            )
            np.testing.assert_array_equal(gradient[~available], 0.0)

    def test_shapes_that_differ_are_refused(self):
        with self.assertRaises(AssertionError):
            distillation.kickstarting_loss(self.student, self.teacher[0], 1.0)
        with self.assertRaises(AssertionError):
            distillation.kickstarting_loss(self.student, self.teacher, 1.0, np.ones(5))
        with self.assertRaises(AssertionError):
            distillation.kickstarting_loss(
                self.student, self.teacher, 1.0, available_actions=np.ones(4, bool)
            )


if __name__ == "__main__":
    absltest.main()
