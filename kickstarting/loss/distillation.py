"""How far a student is from its teachers.

Schmitt et al. 2018, "Kickstarting Deep Reinforcement Learning"
(https://arxiv.org/abs/1803.03835), section 3.1: the cross-entropy H(π_T ‖ π_S) of the
full action distributions, on the states that the student itself reaches. It carries no
importance weight and sends no gradient to the teacher. `loss` offers other forms.

Where not all actions are available both policies are masked first (agent/masking.py):
what is unavailable then counts nowhere here.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from jax.scipy import special

from kickstarting.agent import masking
from kickstarting.agent.trajectory import Array

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
      expected_entropy: τ² H(S ‖ T), the loss of expected entropy regularised
        distillation (Czarnecki et al. 2019, table 1); the rewards that belong to it are
        `next_action_reward`.

    Args:
      teacher_logits: float32 [..., A]; gets no gradient.
      student_logits: float32 [..., A].
      form: one of config.DISTILLATIONS.
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
    # A logit of −inf would make the loss, and its gradient, infinite.
    bounded = jnp.maximum(log_teacher, _LEAST_LOG_PROBABILITY)
    if form == "reverse_kl":
        return scale * _divergence(log_student, bounded)
    if form == "expected_entropy":
        return -scale * jnp.sum(jnp.exp(log_student) * bounded, axis=-1)
    if form == "jensen_shannon":
        log_mean = jnp.logaddexp(log_teacher, log_student) - jnp.log(2.0)
        halves = _divergence(log_teacher, log_mean) + _divergence(log_student, log_mean)
        return scale * halves / 2
    raise ValueError(f"there is no distillation form {form!r}; see config")


def kickstarting_loss(
    student_logits: Array,
    teacher_logits: Array,
    weight: Array | float,
    teacher_mask: Array | None = None,
    form: str = "cross_entropy",
    temperature: float = 1.0,
    available_actions: Array | None = None,
) -> Array:
    """Returns the kickstarting term of one teacher, to be added to a loss.

    λ Σ H(π_T ‖ π_S) over all steps (Schmitt et al. 2018, section 3.1), or another
    distance in the place of the cross-entropy. It is a sum, as the paper's other terms
    are: where a loss is a mean over steps, divide it by their number. Of several
    teachers the terms add up.

    Args:
      student_logits: float32 [..., A], on states that the student itself has reached.
      teacher_logits: float32 [..., A], what the teacher would do there. They get no
        gradient, and may be anything, even NaN, where the mask is 0.
      weight: λ, float32 [] or [...].
      teacher_mask: float32 [...]; 1 where the teacher answered, else 0; None where it
        answered everywhere.
      form: of the distance; see `loss`.
      temperature: τ of both policies.
      available_actions: bool [..., A]; where it is False neither policy has any
        probability, and either's logits may be anything, even NaN. None where all
        actions are always available.

    Returns:
      float32 [].

    Raises:
      ValueError: `form` is unknown.
    """
    chex.assert_equal_shape([student_logits, teacher_logits])
    if teacher_mask is None:
        teacher_mask = jnp.ones(student_logits.shape[:-1])
    chex.assert_equal_shape_prefix(
        [student_logits, teacher_mask], student_logits.ndim - 1
    )
    # Masking the loss alone would let a NaN through to the gradient.
    teacher_logits = jnp.where(teacher_mask[..., None] > 0, teacher_logits, 0.0)
    if available_actions is not None:
        chex.assert_equal_shape([student_logits, available_actions])
        student_logits, teacher_logits = (
            masking.mask_logits(logits, available_actions)
            for logits in (student_logits, teacher_logits)
        )
    distance = loss(teacher_logits, student_logits, form, temperature)
    return jnp.sum(weight * distance * teacher_mask)


def next_action_reward(
    teacher_logits: Array,
    teacher_mask: Array,
    weight: Array,
    action: Array,
    follows: Array,
    temperature: float,
) -> Array:
    """Returns the rewards of expected entropy regularised distillation.

    r̂_t = Σ_i λ_i log T_i(a_{t+1} | x_{t+1}), which with the loss H(S ‖ T_i) is the
    gradient of one function, Σ_t −log T(a_t | x_t) in expectation over the student's
    trajectories (Czarnecki et al. 2019, theorem 2 and table 1,
    https://arxiv.org/abs/1902.02186). Teachers do not label the observation after an
    unroll, so that its last step has none.

    Args:
      teacher_logits: float32 [K, T, A]; anything where the mask is 0.
      teacher_mask: float32 [K, T].
      weight: λ, float32 [K].
      action: int32 [T].
      follows: float32 [T]; 1 where step t acts in the episode of step t − 1, else 0.
      temperature: τ of the teachers.

    Returns:
      float32 [T].
    """
    chex.assert_rank([teacher_logits, teacher_mask, weight, action], [3, 2, 1, 1])
    chex.assert_equal_shape([action, follows])
    answered = jnp.where(teacher_mask[..., None] > 0, teacher_logits, 0.0)
    log_teacher = jax.nn.log_softmax(answered / temperature)
    log_taken = jnp.take_along_axis(log_teacher, action[None, :, None], axis=-1)[..., 0]
    bounded = jnp.maximum(log_taken, _LEAST_LOG_PROBABILITY) * teacher_mask
    reward = jnp.sum(weight[:, None] * bounded, axis=0) * follows
    return jax.lax.stop_gradient(jnp.append(reward[1:], 0.0))


def value_difference(
    values: Array, teacher_values: Array, teacher_mask: Array
) -> Array:
    """Returns V_S − V_T, float32 [K, T]; 0 where no teacher answered.

    Args:
      values: the student's, float32 [T].
      teacher_values: float32 [K, T]; anything where the mask is 0, even NaN. They get
        no gradient.
      teacher_mask: float32 [K, T].
    """
    chex.assert_rank([values, teacher_values], [1, 2])
    chex.assert_equal_shape([teacher_values, teacher_mask])
    answered = jnp.where(teacher_mask > 0, teacher_values, 0.0)
    return (values - jax.lax.stop_gradient(answered)) * teacher_mask


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
