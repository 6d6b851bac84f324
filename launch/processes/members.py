"""The members of a population: each a ring of its own, in a folder of its own."""

import dataclasses
import os

from kickstarting.config import run as config_lib


def configs(config: config_lib.Config) -> list[config_lib.Config]:
    """Returns the configuration of each member; of a run without a population its own.

    A member's folder is `member_<index>` of the run's, and its seed counts on from the
    run's.

    Args:
      config: of the run.
    """
    if config.population.size == 1:
        return [config]
    return [
        dataclasses.replace(
            config,
            logdir=os.path.join(config.logdir, f"member_{index}"),
            seed=config.seed + index,
            show=False,
            # A process takes one at a time.
            profile_seconds=0.0 if index else config.profile_seconds,
            metrics_port=config.metrics_port and config.metrics_port + index,
        )
        for index in range(config.population.size)
    ]
