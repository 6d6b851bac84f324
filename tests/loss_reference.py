"""Random unrolls, and the loss of the papers' equations in NumPy, step by step."""

import numpy as np

from kickstarting.agent import trajectory as trajectory_lib

GAMMA = 0.9
# Of the advantages before, where a loss normalises its own, and how many there were:
# as many as make a batch a tenth of all that was seen, and half of the deviation.
ADVANTAGE_DEVIATION, ADVANTAGE_COUNT = 1.7, 9 * 18


def softmax(logits, available=True):
    logits = np.where(available, logits, -np.inf)
    exps = np.exp(logits - logits.max(-1, keepdims=True))
    return exps / exps.sum(-1, keepdims=True)


def random_unrolls(
    seed=0, batch=3, length=7, actions=4, teachers=2, tasks=3, all_available=True
):
    """Random unrolls with terminations, truncations and unanswered steps.

    Where not all actions are available, those taken are, alone in about every eighth
    step, and what the others have for logits is nonsense.
    """
    random = np.random.default_rng(seed)

    def normal(*shape):
        return random.normal(size=shape).astype(np.float32)

    discount = np.ones((batch, length), np.float32)
    first = np.zeros((batch, length + 1), bool)
    discount[0, 2], first[0, 3] = 0.0, True
    first[1, 4] = True
    first[2, [0, 1]], first[2, length] = True, True
    zeros = np.zeros((batch, length + 1), np.int32)
    trajectory = trajectory_lib.Trajectory(
        observation=trajectory_lib.Observation(zeros, zeros, zeros, zeros),
        action=random.integers(0, actions, (batch, length), np.int32),
        reward=2 * normal(batch, length),
        discount=discount,
        first=first,
        available_actions=np.ones((batch, length + 1, actions), bool),
        behaviour_logits=normal(batch, length, actions),
        teacher_logits=2 * normal(batch, teachers, length, actions),
        teacher_mask=(random.random((batch, teachers, length)) < 0.7).astype(
            np.float32
        ),
        teacher_values=np.zeros((batch, 0, length), np.float32),
        core_state=trajectory_lib.CoreState(zeros, zeros),
        task=random.integers(0, tasks, batch, np.int32),
        actor=np.zeros(batch, np.int32),
        params_version=np.zeros(batch, np.int32),
    )
    output = trajectory_lib.AgentOutput(
        normal(batch, length + 1, actions), normal(batch, length + 1, 1)
    )
    hyperparameters = trajectory_lib.Hyperparameters(
        learning_rate=np.float32(1e-3),
        entropy_cost=np.float32(0.02),
        optimiser_epsilon=np.float32(0.1),
        kickstarting_weight=random.random((tasks, teachers)).astype(np.float32),
        discount=np.float32(GAMMA),
    )
    if not all_available:
        available = random.random((batch, length + 1, actions)) < 0.5
        available[..., 0] |= ~available.any(-1)
        np.put_along_axis(
            available[:, :-1], trajectory.action[..., None], True, axis=-1
        )
        unavailable = ~available[:, :-1]
        trajectory.behaviour_logits[unavailable] = np.inf
        np.moveaxis(trajectory.teacher_logits, 1, 2)[
            unavailable[:, :, None].repeat(teachers, 2)
        ] = np.nan
        output.logits[~available] = 50.0
        trajectory = trajectory._replace(available_actions=available)
    return output, trajectory, hyperparameters


def numpy_loss(output, trajectory, hyperparameters, config):
    """IMPALA's section 4.1 (rho_bar = c_bar = 1) and KICK's equation 3, step by step.

    Returns:
      the losses by name, and the V-trace targets [B, T].
    """
    losses = dict.fromkeys(
        ("policy_gradient", "baseline", "entropy", "kickstarting"), 0
    )
    batch, length = trajectory.action.shape
    actions = output.logits.shape[-1]
    targets = np.zeros((batch, length))
    followed = []  # (log π(a), advantage, π(a) / μ(a)) of each step.
    for b in range(batch):
        value = output.value[b, :, 0]
        available = trajectory.available_actions[b]
        policy = softmax(output.logits[b], available)
        behaviour = softmax(trajectory.behaviour_logits[b], available[:-1])
        action = trajectory.action[b]
        # Equation 1's recursion: v_s = V_s + δ_s + γ c_s (v_{s+1} − V_{s+1}).
        next_target = value[length]
        for s in reversed(range(length)):
            discount = hyperparameters.discount * trajectory.discount[b, s]
            if trajectory.first[b, s + 1] and discount:
                targets[b, s] = next_target = value[s]
                continue
            ratio = policy[s, action[s]] / behaviour[s, action[s]]
            rho = min(1, ratio)
            reward = trajectory.reward[b, s]
            delta = rho * (reward + discount * value[s + 1] - value[s])
            # Remark 2's λ scales c; the advantage bootstraps from the same mixture.
            beyond = config.vtrace_lambda * (next_target - value[s + 1])
            advantage = reward + discount * (value[s + 1] + beyond) - value[s]
            targets[b, s] = value[s] + delta + discount * rho * beyond
            next_target = targets[b, s]
            followed.append((np.log(policy[s, action[s]]), advantage, ratio))
            losses["baseline"] += (
                config.baseline_cost * 0.5 * (targets[b, s] - value[s]) ** 2
            )
            log_policy = np.log(policy[s], where=available[s], out=np.zeros(actions))
            losses["entropy"] += hyperparameters.entropy_cost * np.sum(
                policy[s] * log_policy
            )
            for k, weight in enumerate(
                hyperparameters.kickstarting_weight[trajectory.task[b]]
            ):
                teacher = softmax(trajectory.teacher_logits[b, k, s], available[s])
                crossed = -np.sum(teacher * log_policy)
                losses["kickstarting"] += (
                    weight * trajectory.teacher_mask[b, k, s] * crossed
                )
    advantages = np.array([advantage for _, advantage, _ in followed])
    if config.advantage_normalisation:
        variance = (advantages.var() + ADVANTAGE_DEVIATION**2) / 2
        advantages = (advantages - advantages.mean()) / np.sqrt(variance)
    for (log_taken, _, ratio), advantage in zip(followed, advantages, strict=True):
        bound = 1 + config.policy_clip
        gone = ratio > bound if advantage > 0 else ratio < 1 / bound
        if not (config.policy_clip and gone):
            losses["policy_gradient"] -= min(1, ratio) * advantage * log_taken
    return losses, targets
