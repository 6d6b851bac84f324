"""The kickstarting term and a falling λ in a training step of your own.

All but three names is what you have already: a network, an optimiser, a loss. Here they
learn a bandit, of whose arms the best one depends on what is seen, with and without a
teacher that knows it roughly.

  python -m examples.own_training_loop
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

import kickstarting

NUM_ARMS = 32
BATCH_SIZE = 64
LAMBDA = kickstarting.KickstartingConfig(schedule="linear", weight=4.0, end_frames=150)

network = nn.Sequential([nn.Dense(64), nn.relu, nn.Dense(NUM_ARMS)])
optimiser = optax.adam(3e-3)


def teacher(seen: jax.Array) -> jax.Array:
    """Returns a teacher's logits: the best arm, but not surely."""
    return 3.0 * seen


@jax.jit
def update(params, optimiser_state, key, weight):
    """Does one step; λ is an argument, so that its fall recompiles nothing."""
    see, act = jax.random.split(key)
    seen = jax.random.normal(see, (BATCH_SIZE, NUM_ARMS))

    def loss(params):
        logits = network.apply(params, seen)
        arm = jax.random.categorical(act, logits)
        reward = jnp.equal(arm, seen.argmax(-1)).astype(jnp.float32)
        log_taken = -optax.softmax_cross_entropy_with_integer_labels(logits, arm)
        own = -jnp.sum((reward - reward.mean()) * log_taken)
        # Both are sums over the batch, so that λ weighs one step against one step.
        advice = kickstarting.kickstarting_loss(logits, teacher(seen), weight)
        return own + advice, reward.mean()

    gradients, reward = jax.grad(loss, has_aux=True)(params)
    updates, optimiser_state = optimiser.update(gradients, optimiser_state)
    return optax.apply_updates(params, updates), optimiser_state, reward


def train(num_steps: int, kickstarted: bool, seed: int = 0) -> float:
    """Returns the mean reward of the last ten steps."""
    key = jax.random.key(seed)
    params = network.init(key, jnp.zeros(NUM_ARMS))
    optimiser_state = optimiser.init(params)
    rewards = []
    for step in range(num_steps):
        weight = kickstarting.kickstarting_weight(LAMBDA, step) if kickstarted else 0.0
        step_key = jax.random.fold_in(key, step)
        params, optimiser_state, reward = update(
            params, optimiser_state, step_key, weight
        )
        rewards.append(reward)
    return float(jnp.mean(jnp.array(rewards[-10:])))


if __name__ == "__main__":
    print(f"from scratch {train(300, kickstarted=False):.2f}")
    print(f"kickstarted  {train(300, kickstarted=True):.2f}")
