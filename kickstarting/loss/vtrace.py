"""The learner's loss: V-trace actor-critic plus the teachers' advice.

Espeholt et al. 2018 (https://arxiv.org/abs/1802.01561), section 4, and Schmitt et al.
2018 (https://arxiv.org/abs/1803.03835), equation 3. Every term is summed over time and
batch, as IMPALA does: the published values of λ mean something only if all terms share
one reduction.
"""

import functools
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from kickstarting.agent import masking
from kickstarting.agent.trajectory import (
    AgentOutput,
    Array,
    Hyperparameters,
    Trajectory,
    is_crossing,
)
from kickstarting.config.agent import LossConfig
from kickstarting.loading import rlax_loader
from kickstarting.loss import (
    advantages,
    distillation,
    popart,
    rewards,
    running_moments,
)

rlax = rlax_loader.load()


class Findings(NamedTuple):
    """What the loss finds beside its value.

    Attributes:
      metrics: by name, float32 [].
      target_moments: of this batch's V-trace targets, over all devices.
      advantage_moments: of the advantages, after this batch.
    """

    metrics: dict[str, Array]
    target_moments: running_moments.Moments
    advantage_moments: running_moments.Moments


def loss(
    agent_output: AgentOutput,
    trajectory: Trajectory,
    statistics: popart.Statistics,
    advantage_moments: running_moments.Moments,
    hyperparameters: Hyperparameters,
    config: LossConfig,
    axis_name: str | None = None,
    held_values: Array | None = None,
) -> tuple[Array, Findings]:
    """Computes the loss of a batch of unrolls.

    The steps that only cross a truncated episode's boundary (trajectory.is_crossing)
    count nowhere; the step before bootstraps from the value of the last observation.
    Policies, the student's, that which acted and the teachers', are over the available
    actions. Advantages and the values' errors are divided by the returns' scale. Where
    the network has a value for each task, every task has its own; else all share one.

    Args:
      agent_output: of the learned parameters, [B, T + 1, ...]; values are normalised.
      trajectory: Trajectory [B, ...].
      statistics: of the returns, for each of the network's values.
      advantage_moments: of the advantages of the batches before, likewise.
      hyperparameters: entropy_cost and kickstarting_weight are used.
      config: static, as config.run.Config.resolved_loss has it.
      axis_name: of the devices' axis; the batch is a part of that on all of them.
      held_values: float32 [B, T + 1], not normalised: those that targets and advantages
        are made from. None: the learned parameters' own.

    Returns:
      the loss, float32 [], and what it found. Losses are scaled as in the total, and
      all metrics averaged over steps:
        total_loss, policy_gradient_loss, baseline_loss, entropy_loss,
        kickstarting_loss;
        entropy: of the student's policy, nats;
        logit_margin: by which its most probable action is above the next one, 0 where
          no other is available;
        value, value_target: mean V(x) and mean V-trace target, not normalised;
        value_scale: by which errors and advantages are divided, and
        advantage_deviation: of the advantages after that, running: means over the
          network's values;
        explained_variance: of the V-trace targets by the values;
        rho_clip_fraction: of importance weights above 1;
        kl_behaviour_student: KL(μ ‖ π), nats: how far the policy has moved since it
          acted;
        policy_clip_fraction: of steps that policy_clip takes out of the policy
          gradient;
        teacher_coverage: of (step, teacher) pairs, those that a teacher answered;
        cross_entropy, kl_teacher_student (nats), teacher_agreement (of the most
          probable actions): over the answered pairs, 0 if there are none.
        value_distillation_loss, and value_difference, the mean |V_S − V_T| over the
          answered pairs, not normalised: only where values are distilled.
    """
    _check_shapes(agent_output, trajectory, hyperparameters, config)
    counted = jnp.where(is_crossing(trajectory.discount, trajectory.first), 0.0, 1.0)
    num_steps = jnp.maximum(jnp.sum(counted), 1.0)

    # The T + 1st output is there only to bootstrap from.
    available_actions = trajectory.available_actions[:, :-1]
    logits = masking.mask_logits(agent_output.logits[:, :-1], available_actions)
    trajectory = _over_available(trajectory)
    num_values = agent_output.value.shape[-1]
    own_value = trajectory.task if num_values > 1 else jnp.zeros_like(trajectory.task)
    all_values = popart.value(statistics, agent_output.value, own_value)
    values = all_values[:, :-1]
    if held_values is None:
        held_values = all_values
    chex.assert_equal_shape([held_values, all_values])
    log_taken = _log_taken(logits, trajectory.action)
    rho = jnp.exp(
        log_taken - _log_taken(trajectory.behaviour_logits, trajectory.action)
    )
    weight = hyperparameters.kickstarting_weight[trajectory.task]
    mask = trajectory.teacher_mask * counted[:, None]
    # A weight of 0 takes a crossing step out of the policy gradient and makes its
    # V-trace target the value itself: the bootstrap of the step before.
    vtrace = jax.vmap(
        functools.partial(
            rlax.vtrace_td_error_and_advantage, lambda_=config.vtrace_lambda
        )
    )(
        held_values[:, :-1],
        held_values[:, 1:],
        _rewards(trajectory, mask, weight, counted, config),
        trajectory.discount * hyperparameters.discount * counted,
        jnp.where(counted > 0, rho, 0.0),
    )
    scale = statistics.scale[own_value][:, None]
    advantage = jax.lax.stop_gradient(vtrace.q_estimate - held_values[:, :-1]) / scale
    weight_of_step = jax.lax.stop_gradient(jnp.minimum(rho, 1.0)) * counted
    if not config.fresh_statistics:
        advantage, weight_of_step = advantage * weight_of_step, counted
    # Weighted with ρ only once it is centred: where π hardly acts as μ did, a step that
    # did nothing would else be left with the mean, the other way round.
    normalised = advantages.normalise(
        advantage,
        counted,
        own_value,
        advantage_moments,
        config.least_advantage_deviation,
        config.fresh_statistics,
        axis_name,
    )
    if config.advantage_normalisation:
        advantage = normalised.advantages
    advantage = advantage * weight_of_step
    followed = _followed(rho, advantage, config.policy_clip)
    targets = jax.lax.stop_gradient(held_values[:, :-1] + vtrace.errors)
    # A crossing step has nothing to learn from, whatever the values were.
    errors = (targets - values) * counted
    entropy = distillation.entropy(logits) * counted

    comparison = jax.vmap(
        functools.partial(
            distillation.compare,
            form=config.distillation_form,
            temperature=config.distillation_temperature,
        )
    )(logits, trajectory.teacher_logits, mask)

    losses = {
        "policy_gradient_loss": -jnp.sum(log_taken * advantage * followed),
        "baseline_loss": config.baseline_cost * 0.5 * jnp.sum((errors / scale) ** 2),
        "entropy_loss": -hyperparameters.entropy_cost * jnp.sum(entropy),
        "kickstarting_loss": jnp.sum(weight[..., None] * comparison.loss),
    }
    value_metrics = {}
    if config.value_distillation_cost:
        difference = jax.vmap(distillation.value_difference)(
            values, trajectory.teacher_values, mask
        )
        losses["value_distillation_loss"] = (
            config.value_distillation_cost
            * 0.5
            * jnp.sum(weight[..., None] * (difference / scale[..., None]) ** 2)
        )
        value_metrics["value_difference"] = jnp.sum(jnp.abs(difference)) / jnp.maximum(
            jnp.sum(mask), 1.0
        )
    left_out: set[str] = set()
    if not config.reinforcement:
        left_out = {"entropy_loss"}
        if config.distillation_form != "expected_entropy":
            left_out |= {"policy_gradient_loss", "baseline_loss"}
    total = sum(term for name, term in losses.items() if name not in left_out)

    metrics = {name: term / num_steps for name, term in losses.items()}
    metrics |= {
        "total_loss": total / num_steps,
        "entropy": jnp.sum(entropy) / num_steps,
        "logit_margin": jnp.sum(_logit_margin(logits, available_actions) * counted)
        / num_steps,
        "value": jnp.sum(values * counted) / num_steps,
        "value_target": jnp.sum(targets * counted) / num_steps,
        "value_scale": jnp.mean(statistics.scale),
        "advantage_deviation": jnp.mean(normalised.deviation),
        "explained_variance": _explained_variance(values, errors, counted),
        "rho_clip_fraction": jnp.sum((rho > 1.0) * counted) / num_steps,
        "kl_behaviour_student": jnp.sum(
            distillation.divergence(trajectory.behaviour_logits, logits) * counted
        )
        / num_steps,
        "policy_clip_fraction": jnp.sum((1.0 - followed) * counted) / num_steps,
    }
    metrics |= _teacher_metrics(comparison, mask, counted) | value_metrics
    target_moments = running_moments.of_batch(
        targets, counted, own_value, num_values, axis_name
    )
    findings = Findings(metrics, target_moments, normalised.moments)
    return total, jax.lax.stop_gradient(findings)


def _check_shapes(
    agent_output: AgentOutput,
    trajectory: Trajectory,
    hyperparameters: Hyperparameters,
    config: LossConfig,
) -> None:
    batch, length = trajectory.action.shape
    teachers, actions = (
        trajectory.teacher_logits.shape[1],
        agent_output.logits.shape[-1],
    )
    chex.assert_shape(agent_output.logits, (batch, length + 1, actions))
    chex.assert_shape(agent_output.value, (batch, length + 1, None))
    chex.assert_shape(trajectory.first, (batch, length + 1))
    chex.assert_shape(trajectory.available_actions, (batch, length + 1, actions))
    chex.assert_shape([trajectory.reward, trajectory.discount], (batch, length))
    chex.assert_shape(trajectory.behaviour_logits, (batch, length, actions))
    chex.assert_shape(trajectory.teacher_logits, (batch, teachers, length, actions))
    chex.assert_shape(trajectory.teacher_mask, (batch, teachers, length))
    valued = teachers if config.value_distillation_cost else 0
    chex.assert_shape(trajectory.teacher_values, (batch, valued, length))
    chex.assert_shape(trajectory.task, (batch,))
    chex.assert_shape(hyperparameters.kickstarting_weight, (None, teachers))
    chex.assert_shape(hyperparameters.discount, ())


def _over_available(trajectory: Trajectory) -> Trajectory:
    """Masks the logits of those who acted and of the teachers."""
    available_actions = trajectory.available_actions[:, :-1]
    return trajectory._replace(
        behaviour_logits=masking.mask_logits(
            trajectory.behaviour_logits, available_actions
        ),
        teacher_logits=masking.mask_logits(
            trajectory.teacher_logits, available_actions[:, None]
        ),
    )


def _rewards(
    trajectory: Trajectory,
    mask: Array,
    weight: Array,
    counted: Array,
    config: LossConfig,
) -> Array:
    """Scaled, clipped rewards, and those that a form of distillation gives, [B, T]."""
    scales = [scale for _, scale in config.reward_scales]
    reward = rewards.scale(trajectory.reward, trajectory.task, scales)
    reward = rewards.clip(reward, config.reward_clipping)
    if config.distillation_form != "expected_entropy":
        return reward
    follows = counted * (1.0 - trajectory.first[:, :-1])
    advice = jax.vmap(
        functools.partial(
            distillation.next_action_reward,
            temperature=config.distillation_temperature,
        )
    )(trajectory.teacher_logits, mask, weight, trajectory.action, follows)
    return advice + (reward if config.reinforcement else 0.0)


def _followed(rho: Array, advantage: Array, policy_clip: float) -> Array:
    """0 where the policy has gone far enough the way that a step's advantage says.

    That of PPO's clipped objective (Schulman et al. 2017, equation 7,
    https://arxiv.org/abs/1707.06347): a step stops counting once the probability of its
    action has moved by more than the clip since it was acted. Unrolls arrive some
    updates late, and without a bound all of them push on in a direction that the first
    have gone already.

    Args:
      rho: π / μ of the actions taken, float32 [B, T].
      advantage: float32 [B, T].
      policy_clip: 0 turns it off.

    Returns:
      1 or 0, float32 [B, T].
    """
    if not policy_clip:
        return jnp.ones_like(rho)
    bound = 1.0 + policy_clip
    gone = jnp.where(advantage > 0, rho > bound, rho < 1.0 / bound)
    return jax.lax.stop_gradient(jnp.where(gone, 0.0, 1.0))


def _log_taken(logits: Array, action: Array) -> Array:
    """log π(action), float32 [B, T], of logits [B, T, A]."""
    log_policy = jax.nn.log_softmax(logits)
    return jnp.take_along_axis(log_policy, action[..., None], axis=-1)[..., 0]


def _logit_margin(logits: Array, available_actions: Array) -> Array:
    """The largest logit less the second, float32 [B, T], of masked logits [B, T, A].

    It is 0 where there is no second.
    """
    if logits.shape[-1] == 1:
        return jnp.zeros_like(logits[..., 0])
    largest, second = jnp.moveaxis(jax.lax.top_k(logits, 2)[0], -1, 0)
    has_second = jnp.sum(available_actions, axis=-1) > 1
    return jnp.where(has_second, largest - second, 0.0)


def _explained_variance(values: Array, errors: Array, counted: Array) -> Array:
    """1 − Var(target − value) / Var(target); 0 where the targets do not vary."""
    error_variance = jnp.var(errors, where=counted > 0)
    target_variance = jnp.var(values + errors, where=counted > 0)
    varies = target_variance > 0
    ratio = error_variance / jnp.where(varies, target_variance, 1.0)
    return jnp.where(varies, 1.0 - ratio, 0.0)


def _teacher_metrics(
    comparison: distillation.Comparison, mask: Array, counted: Array
) -> dict[str, Array]:
    """Averages [B, K, T] comparisons over what was answered."""
    answered = jnp.sum(mask)
    asked = jnp.sum(counted) * mask.shape[1]
    divisor = jnp.maximum(answered, 1.0)
    return {
        "teacher_coverage": answered / jnp.maximum(asked, 1.0),
        "cross_entropy": jnp.sum(comparison.cross_entropy) / divisor,
        "kl_teacher_student": jnp.sum(comparison.divergence) / divisor,
        "teacher_agreement": jnp.sum(comparison.agreement) / divisor,
    }
