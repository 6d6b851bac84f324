"""The hyperparameters that evolve, read from a configuration and put into one.

What evolution changes is a configuration like any other, so that schedules, checks and
metrics know nothing of it.
"""

import dataclasses
from collections.abc import Mapping

from kickstarting.config.run import Config
from kickstarting.population import rules as population

_LARGEST_LEARNING_RATE = 1.0


def of_config(config: Config) -> dict[str, float]:
    """Returns learning rate, entropy cost, optimiser's ε, and with teachers α and ρ_i.

    ρ_i is one for each task that has a teacher; none where ρ_i does not evolve.
    """
    found = {
        "learning_rate": config.optimiser.learning_rate,
        "entropy_cost": config.loss.entropy_cost,
        "optimiser_epsilon": config.optimiser.resolved_epsilon,
    }
    if config.asks_teachers:
        found[population.WEIGHT] = config.kickstarting.weight
        for task, teachers in zip(config.tasks, config.teachers_of_task, strict=True):
            if teachers and config.population.factors:
                found[population.FACTOR + task] = config.kickstarting.factor_of(
                    task, teachers[0]
                )
    return found


def applied(config: Config, hyperparameters: Mapping[str, float]) -> Config:
    """Returns the configuration with evolved hyperparameters.

    Args:
      config: of a member.
      hyperparameters: by the names of `of_config`. The learning rate is at most 1.

    Raises:
      config_checks.ConfigError: a value is out of its range.
    """
    kickstarting = config.kickstarting
    factors = {
        name.removeprefix(population.FACTOR): value
        for name, value in hyperparameters.items()
        if name.startswith(population.FACTOR)
    }
    if population.WEIGHT in hyperparameters:
        kickstarting = dataclasses.replace(
            kickstarting, weight=hyperparameters[population.WEIGHT]
        )
    if factors:
        kickstarting = dataclasses.replace(kickstarting, factors=tuple(factors.items()))
    return dataclasses.replace(
        config,
        loss=dataclasses.replace(
            config.loss, entropy_cost=hyperparameters["entropy_cost"]
        ),
        optimiser=dataclasses.replace(
            config.optimiser,
            learning_rate=min(hyperparameters["learning_rate"], _LARGEST_LEARNING_RATE),
            epsilon=hyperparameters["optimiser_epsilon"],
        ),
        kickstarting=kickstarting,
    )
