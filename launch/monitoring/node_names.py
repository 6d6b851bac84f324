"""The nodes of a run's program by name, for launchers that do not make the program."""

from kickstarting.config import run as config_lib

# Those that listen, in the order of their ports.
_SERVERS = ("queue", "learner", "teacher")


def counts(config: config_lib.Config) -> dict[str, int]:
    """Returns how many nodes each group has, those that others wait for first.

    Groups without any are left out.

    Args:
      config: of the run.
    """
    size = config.population.size
    evaluates = config.evaluation_episodes and config.evaluation_minutes
    every = {
        "queue": size,
        "learner": size,
        "teacher": config.kickstarting.replicas if config.asks_teachers else 0,
        "actor": size * config.num_actors,
        "population": 1 if size > 1 else 0,
        "evaluator": size if evaluates else 0,
    }
    return {group: count for group, count in every.items() if count}


def names(config: config_lib.Config) -> list[str]:
    """Returns all of them, e.g. 'actor/0'.

    Args:
      config: of the run.
    """
    return [
        f"{group}/{number}"
        for group, count in counts(config).items()
        for number in range(count)
    ]


def ports(config: config_lib.Config, group: str) -> list[int]:
    """Returns the ports on which a group's nodes listen, one each; none: they do not.

    Args:
      config: of the run, with a base_port.
      group: of the nodes.
    """
    first = config.base_port
    for server in _SERVERS:
        count = counts(config).get(server, 0)
        if server == group:
            return list(range(first, first + count))
        first += count
    return []


def last_group(config: config_lib.Config) -> str:
    """Returns the group whose end is the end of the run.

    Args:
      config: of the run.
    """
    return "population" if config.population.size > 1 else "learner"
