"""How far a student is from its teachers.

Schmitt et al. 2018, "Kickstarting Deep Reinforcement Learning"
(https://arxiv.org/abs/1803.03835), section 3.1: the cross-entropy H(π_T ‖ π_S) of the
full action distributions, on the states that the student itself reaches. It carries no
importance weight and sends no gradient to the teacher.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from jax.scipy import special

from kickstarting.types import Array


class Comparison(NamedTuple):
    """A student beside its teachers; float32 [K, T], 0 where no teacher answered.

    Attributes:
      cross_entropy: H(π_T ‖ π_S) in nats; only this has a gradient.
      divergence: KL(π_T ‖ π_S) in nats.
      agreement: 1 where both find the same action most probable.
    """

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


def compare(
    student_logits: Array, teacher_logits: Array, teacher_mask: Array
) -> Comparison:
    """Compares one unroll's student with all its teachers.

    Args:
      student_logits: float32 [T, A].
      teacher_logits: float32 [K, T, A]; anything where the mask is 0, even NaN.
      teacher_mask: float32 [K, T]; 1 where the teacher answered, else 0.
    """
    chex.assert_rank([student_logits, teacher_logits, teacher_mask], [2, 3, 2])
    chex.assert_equal_shape_suffix([student_logits, teacher_logits], 2)
    chex.assert_equal_shape_prefix([teacher_logits, teacher_mask], 2)
    answered = teacher_mask > 0
    # Masking the loss alone would let a NaN through to the gradient.
    teacher_logits = jnp.where(answered[..., None], teacher_logits, 0.0)
    student_logits = jnp.broadcast_to(student_logits, teacher_logits.shape)
    crossed = cross_entropy(teacher_logits, student_logits)
    teacher_entropy = jnp.sum(special.entr(jax.nn.softmax(teacher_logits)), axis=-1)
    agree = jnp.argmax(teacher_logits, -1) == jnp.argmax(student_logits, -1)
    return Comparison(
        cross_entropy=crossed * teacher_mask,
        divergence=jax.lax.stop_gradient(crossed - teacher_entropy) * teacher_mask,
        agreement=agree * teacher_mask,
    )
