"""How far a student is from its teachers.

Schmitt et al. 2018, "Kickstarting Deep Reinforcement Learning"
(https://arxiv.org/abs/1803.03835), section 3.1: the cross-entropy H(π_T ‖ π_S) of the
full action distributions, on the states that the student itself reaches. It carries no
importance weight and sends no gradient to the teacher. `loss` offers other forms.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from jax.scipy import special

from kickstarting.types import Array

_LEAST_LOG_PROBABILITY = -100.0


class Comparison(NamedTuple):
    """A student beside its teachers; float32 [K, T], 0 where no teacher answered.

    Attributes:
      loss: in the form asked for; only this has a gradient.
      cross_entropy: H(π_T ‖ π_S) in nats.
      divergence: KL(π_T ‖ π_S) in nats.
      agreement: 1 where both find the same action most probable.
    """

    loss: Array
    cross_entropy: Array
    divergence: Array
    agreement: Array


def entropy(logits: Array) -> Array:
    """Returns the entropy in nats, float32 [...], of policies [..., A]."""
    log_policy = jax.nn.log_softmax(logits)
    return -jnp.sum(jnp.exp(log_policy) * log_policy, axis=-1)


def cross_entropy(teacher_logits: Array, student_logits: Array) -> Array:
    """Returns H(π_T ‖ π_S) = −Σ_a π_T(a) log π_S(a).

    Its gradient by the student's logits is π_S − π_T.

    Args:
      teacher_logits: float32 [..., A]; a logit of −inf is a probability of 0.
      student_logits: float32 [..., A].

    Returns:
      float32 [...], nats.
    """
    teacher = jax.lax.stop_gradient(jax.nn.softmax(teacher_logits))
    return -jnp.sum(teacher * jax.nn.log_softmax(student_logits), axis=-1)


def divergence(logits_p: Array, logits_q: Array) -> Array:
    """Returns KL(p ‖ q) in nats, float32 [...], of policies [..., A]."""
    return _divergence(jax.nn.log_softmax(logits_p), jax.nn.log_softmax(logits_q))


def loss(
    teacher_logits: Array, student_logits: Array, form: str, temperature: float
) -> Array:
    """Returns how far the student is from the teacher, in the form asked for.

    With T and S the two policies at the temperature τ, softmax(logits / τ):
      cross_entropy: τ² H(T ‖ S); at τ = 1 that of Schmitt et al. 2018. τ² keeps the
        gradient's size (Hinton et al. 2015, section 2,
        https://arxiv.org/abs/1503.02531). It makes the student cover what T does.
      reverse_kl: τ² KL(S ‖ T), which lets the student choose among what T does
        (Czarnecki et al. 2019, section 3, https://arxiv.org/abs/1902.02186).
      jensen_shannon: τ² (KL(T ‖ M) + KL(S ‖ M)) / 2 with M = (T + S) / 2: bounded, so
        that no single state outweighs all others (Lin 1991,
        https://doi.org/10.1109/18.61115).

    Args:
      teacher_logits: float32 [..., A]; gets no gradient.
      student_logits: float32 [..., A].
      form: one of config.DISTILLATION_FORMS.
      temperature: τ.

    Returns:
      float32 [...], nats.

    Raises:
      ValueError: `form` is unknown.
    """
    teacher_logits = jax.lax.stop_gradient(teacher_logits) / temperature
    student_logits = student_logits / temperature
    scale = temperature**2
    if form == "cross_entropy":
        return scale * cross_entropy(teacher_logits, student_logits)
    log_teacher = jax.nn.log_softmax(teacher_logits)
    log_student = jax.nn.log_softmax(student_logits)
    if form == "reverse_kl":
        # A logit of −inf would make the loss, and its gradient, infinite.
        log_teacher = jnp.maximum(log_teacher, _LEAST_LOG_PROBABILITY)
        return scale * _divergence(log_student, log_teacher)
    if form == "jensen_shannon":
        log_mean = jnp.logaddexp(log_teacher, log_student) - jnp.log(2.0)
        halves = _divergence(log_teacher, log_mean) + _divergence(log_student, log_mean)
        return scale * halves / 2
    raise ValueError(f"there is no distillation form {form!r}; see config")


def _divergence(log_p: Array, log_q: Array) -> Array:
    """KL(p ‖ q), float32 [...], of log probabilities [..., A]; 0 log 0 is 0."""
    p = jnp.exp(log_p)
    return jnp.sum(jnp.where(p > 0, p * (log_p - log_q), 0.0), axis=-1)


def compare(
    student_logits: Array,
    teacher_logits: Array,
    teacher_mask: Array,
    form: str,
    temperature: float,
) -> Comparison:
    """Compares one unroll's student with all its teachers.

    Args:
      student_logits: float32 [T, A].
      teacher_logits: float32 [K, T, A]; anything where the mask is 0, even NaN.
      teacher_mask: float32 [K, T]; 1 where the teacher answered, else 0.
      form: of the loss.
      temperature: of the loss.
    """
    chex.assert_rank([student_logits, teacher_logits, teacher_mask], [2, 3, 2])
    chex.assert_equal_shape_suffix([student_logits, teacher_logits], 2)
    chex.assert_equal_shape_prefix([teacher_logits, teacher_mask], 2)
    answered = teacher_mask > 0
    # Masking the loss alone would let a NaN through to the gradient.
    teacher_logits = jnp.where(answered[..., None], teacher_logits, 0.0)
    student_logits = jnp.broadcast_to(student_logits, teacher_logits.shape)
    crossed = jax.lax.stop_gradient(cross_entropy(teacher_logits, student_logits))
    teacher_entropy = jnp.sum(special.entr(jax.nn.softmax(teacher_logits)), axis=-1)
    agree = jnp.argmax(teacher_logits, -1) == jnp.argmax(student_logits, -1)
    return Comparison(
        loss=loss(teacher_logits, student_logits, form, temperature) * teacher_mask,
        cross_entropy=crossed * teacher_mask,
        divergence=(crossed - teacher_entropy) * teacher_mask,
        agreement=agree * teacher_mask,
    )
