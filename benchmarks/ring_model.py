"""What the ring does a second, from the costs of its parts: plain arithmetic.

An agent step costs CPU seconds in the environment, for its share of a batch's
inference, in the queue, at a teacher and in the update. An actor's environments act in
two half batches by turns: while one is acted for, the other's environments step.
"""

import dataclasses
import math

# A half batch, in an actor's loop: see kickstarting.actor.
_HALVES = 2


@dataclasses.dataclass(frozen=True)
class Parts:
    """What was measured of each part alone.

    Attributes:
      wait_seconds: that an environment's step lasts and needs no processor.
      environment: CPU seconds of an agent step.
      inference_call: CPU seconds of a batch, whatever its size.
      inference_step: CPU seconds more of each agent step in it.
      queue: CPU seconds of an agent step, written and read.
      teacher: CPU seconds of an agent step that one teacher labels; 0: none is asked.
      update: CPU seconds of an agent step.
      poll: CPU seconds of asking the learner for parameters.
      unroll_bytes: of an agent step in an unroll, with its teacher's logits.
      parameter_bytes: of a network's weights.
    """

    wait_seconds: float
    environment: float
    inference_call: float
    inference_step: float
    queue: float
    teacher: float
    update: float
    poll: float
    unroll_bytes: float
    parameter_bytes: float


@dataclasses.dataclass(frozen=True)
class Ring:
    """How large a program is.

    Attributes:
      actors: nodes.
      environments: of each actor.
      polls_per_second: for parameters, of one actor.
    """

    actors: int
    environments: int
    polls_per_second: float


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


def batch(ring: Ring) -> float:
    """Returns how many environments an actor acts for at once."""
    return max(ring.environments / _HALVES, 1.0)


def acting_cost(parts: Parts, ring: Ring) -> float:
    """Returns the CPU seconds of an agent step in an actor and its environments."""
    return parts.environment + parts.inference_step + parts.inference_call / batch(ring)


def step_cost(parts: Parts, ring: Ring) -> float:
    """Returns the CPU seconds of an agent step in the whole ring."""
    return acting_cost(parts, ring) + parts.queue + parts.teacher + parts.update


def on_one_machine(parts: Parts, ring: Ring, cores: int) -> float:
    """Returns the agent steps/s of a ring whose nodes share a machine.

    Exact mean value analysis (Reiser & Lavenberg 1980) of a closed network: the actors'
    half batches go round between the environments' wait, where nobody queues, and the
    cores, as one station that is `cores` times as fast and a delay for the rest
    (Seidmann et al. 1987). Polls take their cores away beforehand.

    Args:
      parts: measured on the machine.
      ring: on it.
      cores: of it.
    """
    customers = ring.actors * min(_HALVES, ring.environments)
    size = batch(ring)
    polls = ring.actors * ring.polls_per_second * parts.poll
    share = max(1.0 - polls / cores, 0.05)
    demand = step_cost(parts, ring) * size / share
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
    busy = acting_cost(parts, ring) * batch(ring)
    return ring.actors * ring.environments / (parts.wait_seconds + busy)


def loads(
    parts: Parts, ring: Ring, steps_per_second: float, updates_per_second: float
) -> list[Load]:
    """Returns what the other parts are asked for at that many agent steps/s.

    Args:
      parts: measured on this machine, whose cores are the unit.
      ring: whose actors are on machines of their own.
      steps_per_second: of all actors, e.g. demand().
      updates_per_second: of the learner: no more parameters than these are new.
    """
    unrolls = steps_per_second * parts.unroll_bytes
    polls = ring.actors * ring.polls_per_second
    pulls = ring.actors * min(ring.polls_per_second, updates_per_second)
    found = [
        Load("update", steps_per_second * parts.update, unrolls),
        Load("queue", steps_per_second * parts.queue, 2 * unrolls),
        Load("parameters", polls * parts.poll, pulls * parts.parameter_bytes),
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
