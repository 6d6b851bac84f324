"""What the ring does a second, from the costs of its parts: plain arithmetic.

An agent step costs CPU seconds in the actor and its environment, in the queue, at a
teacher and in the update; and each update costs every actor new parameters, whatever
their number. An actor's environments act by turns: while some are acted for, others
step. Where processes share cores each finds its weights out of the cache.
"""

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Parts:
    """What was measured of each part alone.

    Attributes:
      wait_seconds: that an environment's step lasts and needs no processor.
      acting: CPU seconds of an agent step in an actor and its environments.
      batch_size: environments that an actor acts for at once.
      cold_call: CPU seconds more of acting for a batch when others have used the core.
      queue: CPU seconds of an agent step, written and read.
      teacher: CPU seconds of an agent step that one teacher labels; 0: none is asked.
      update: CPU seconds of an agent step.
      poll: CPU seconds of asking the learner in vain for other parameters.
      pull: CPU seconds of getting them.
      unroll_bytes: of an agent step in an unroll, with its teacher's logits.
      parameter_bytes: of a network's weights.
    """

    wait_seconds: float
    acting: float
    batch_size: float
    cold_call: float
    queue: float
    teacher: float
    update: float
    poll: float
    pull: float
    unroll_bytes: float
    parameter_bytes: float


@dataclasses.dataclass(frozen=True)
class Ring:
    """How large a program is.

    Attributes:
      actors: nodes.
      environments: of each actor.
      polls_per_second: for parameters, of one actor.
      steps_per_update: agent steps of a batch.
    """

    actors: int
    environments: int
    polls_per_second: float
    steps_per_update: int


@dataclasses.dataclass(frozen=True)
class Load:
    """What one part of a program on many machines is asked for.

    Attributes:
      part: its name.
      cores: of this machine that it takes.
      bytes_per_second: through its network.
    """

    part: str
    cores: float
    bytes_per_second: float


def step_cost(parts: Parts, ring: Ring) -> float:
    """Returns the CPU seconds of an agent step in the whole ring.

    Every actor gets the parameters of every update, as long as it polls more often.
    """
    pulls = ring.actors * parts.pull / ring.steps_per_update
    return parts.acting + parts.queue + parts.teacher + parts.update + pulls


def on_one_machine(parts: Parts, ring: Ring, cores: int) -> float:
    """Returns the agent steps/s of a ring whose nodes share a machine.

    Exact mean value analysis (Reiser & Lavenberg 1980) of a closed network: the actors'
    batches go round between the environments' wait, where nobody queues, and the
    cores, as one station that is `cores` times as fast and a delay for the rest
    (Seidmann et al. 1987). Polls take their cores away beforehand.

    Args:
      parts: measured on the machine.
      ring: on it.
      cores: of it.
    """
    environments = ring.actors * ring.environments
    customers = max(round(environments / parts.batch_size), ring.actors)
    size = environments / customers
    polls = ring.actors * ring.polls_per_second * parts.poll
    share = max(1.0 - polls / cores, 0.05)
    # Actors and the learner take turns on the cores.
    cold = max(1.0 - cores / (ring.actors + 1), 0.0) * parts.cold_call
    demand = (step_cost(parts, ring) * size + cold) / share
    at_cores = demand / cores
    elsewhere = parts.wait_seconds + demand - at_cores
    queueing = rate = 0.0
    for population in range(1, customers + 1):
        response = at_cores * (1.0 + queueing)
        rate = population / (elsewhere + response)
        queueing = rate * response
    return rate * size


def demand(parts: Parts, ring: Ring) -> float:
    """Returns the agent steps/s of actors that have machines of their own."""
    busy = parts.acting * min(parts.batch_size, ring.environments)
    return ring.actors * ring.environments / (parts.wait_seconds + busy)


def loads(parts: Parts, ring: Ring, steps_per_second: float) -> list[Load]:
    """Returns what the other parts are asked for at that many agent steps/s.

    Args:
      parts: measured on this machine, whose cores are the unit.
      ring: whose actors are on machines of their own.
      steps_per_second: of all actors, e.g. demand().
    """
    updates_per_second = steps_per_second / ring.steps_per_update
    unrolls = steps_per_second * parts.unroll_bytes
    polls = ring.actors * ring.polls_per_second
    pulls = ring.actors * min(ring.polls_per_second, updates_per_second)
    found = [
        Load("update", steps_per_second * parts.update, unrolls),
        Load("queue", steps_per_second * parts.queue, 2 * unrolls),
        Load(
            "parameters",
            polls * parts.poll + pulls * parts.pull,
            pulls * parts.parameter_bytes,
        ),
    ]
    if parts.teacher:
        found.append(Load("teacher", steps_per_second * parts.teacher, unrolls))
    return found


def replicas(load: Load, cores: float, bytes_per_second: float) -> int:
    """Returns how many machines of some size a load needs."""
    return max(
        1,
        math.ceil(load.cores / cores),
        math.ceil(load.bytes_per_second / bytes_per_second),
    )
