"""The hyperparameters of an update, which change while a run goes on."""

import numpy as np

from kickstarting.agent.trajectory import Hyperparameters
from kickstarting.config.run import Config


def hyperparameters(
    config: Config, frames: int, kickstarting_weight: np.ndarray
) -> Hyperparameters:
    """Returns those of an update.

    They are arguments of what is compiled, so that their change recompiles nothing.

    Args:
      config: of the run.
      frames: environment frames learned from so far.
      kickstarting_weight: λ, float32 [num_tasks, K] (loss.schedules.weights).
    """
    return Hyperparameters(
        learning_rate=np.float32(learning_rate(config, frames)),
        entropy_cost=np.float32(entropy_cost(config, frames)),
        optimiser_epsilon=np.float32(config.optimiser.resolved_epsilon),
        kickstarting_weight=kickstarting_weight,
        discount=np.float32(config.loss.discount_at(frames, config.total_frames)),
    )


def learning_rate(config: Config, frames: int) -> float:
    """Returns the learning rate: it stays, or falls linearly to a share of itself."""
    optimiser = config.optimiser
    if not optimiser.anneal:
        return optimiser.learning_rate
    end = optimiser.anneal_frames or config.total_frames
    fallen = min(frames / end, 1.0) * (1 - optimiser.final_learning_rate_share)
    return optimiser.learning_rate * (1 - fallen)


def entropy_cost(config: Config, frames: int) -> float:
    """Returns the entropy cost, which falls geometrically to a share of itself."""
    done = min(frames / config.total_frames, 1.0)
    return config.loss.entropy_cost * config.loss.final_entropy_share**done
