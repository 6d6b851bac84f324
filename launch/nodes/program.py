"""The topology: which nodes there are and who talks to whom.

environments → actor ──unroll──▶ teacher ──logits──▶ queue ──▶ learner ──params──▶ actor
"""

import itertools
from collections.abc import Callable, Iterable, Sequence

import launchpad as lp
import numpy as np

from kickstarting.config import run as config_lib
from launch.computing import this_machine
from launch.monitoring import node_names
from launch.nodes import (
    actor,
    addresses,
    evaluator,
    identity,
    learner,
    member_learner,
    population,
    queue,
    teacher,
)
from launch.processes import member_process
from launch.processes import members as members_lib

# Unrolls that may wait for a teacher at once in one replica: each blocks a thread.
_TEACHER_THREADS = {"thread_pool_size": 64}
_LEARNER_CALL_SECONDS = 60.0


def on_this_machine(group: str, number: int) -> str:
    """Returns the host of every node where all are on one machine."""
    del group, number
    return this_machine.name()


def make_program(
    config: config_lib.Config,
    teacher_returns: np.ndarray,
    resumed_frames: Sequence[int],
    process_per_member: bool = False,
    host_of: Callable[[str, int], str] = on_this_machine,
) -> lp.Program:
    """Returns the ring, or those of a population, as a Launchpad program.

    All members share the teacher servers.

    Args:
      config: of the run, already checked.
      teacher_returns: float32 [num_tasks, K], TeacherReturns.assured().
      resumed_frames: of each member, of the checkpoint that it goes on from, else 0.
      process_per_member: whether the nodes of each member are one, which is a process
        of its own where nodes are processes.
      host_of: gives the host of a node by its group and its number in that; other
        hosts than this one need a base_port.
    """
    counts = node_names.counts(config)
    members = members_lib.configs(config)
    is_population = len(members) > 1
    learner_class = (
        member_learner.MemberLearnerNode if is_population else learner.LearnerNode
    )

    identities = [identity.of(member.logdir) for member in members]
    queues = [
        queue.QueueNode(member.resolved_queue_size, name)
        for member, name in zip(members, identities, strict=True)
    ]
    to_queues = [node.create_handle() for node in queues]
    learners = [
        identity.CourierNode(name, learner_class, member, teacher_returns, to_queue)
        for name, member, to_queue in zip(identities, members, to_queues, strict=True)
    ]
    to_learners = [node.client(_LEARNER_CALL_SECONDS) for node in learners]
    teachers = [
        identity.CourierNode(
            identity.of(config.logdir),
            teacher.TeacherNode,
            config,
            i,
            to_learners,
            courier_kwargs=_TEACHER_THREADS,
        )
        for i in range(counts.get("teacher", 0))
    ]
    answer_seconds = config.kickstarting.deadline_seconds
    to_teachers = [node.client(answer_seconds) for node in teachers]
    rings = zip(members, resumed_frames, to_learners, to_queues, strict=True)
    actors = [
        [
            lp.PyNode(actor.run, member, i, frames, to_learner, to_queue, to_teachers)
            for i in range(member.num_actors)
        ]
        for member, frames, to_learner, to_queue in rings
    ]
    controllers = (
        [lp.PyNode(population.run, config, to_learners)] if is_population else []
    )
    evaluators = [
        lp.PyNode(evaluator.run, member)
        for member in members[: counts.get("evaluator", 0)]
    ]

    program = lp.Program("kickstarting")
    _add(program, "teacher", teachers)
    if process_per_member:
        of_member = zip(queues, learners, actors, strict=True)
        processes = [
            member_process.MemberNode(
                [its_queue, its_learner, *its_actors], members[0] if i else None
            )
            for i, (its_queue, its_learner, its_actors) in enumerate(of_member)
        ]
        _add(program, "member", processes)
    else:
        _add(program, "queue", queues)
        _add(program, "learner", learners)
        _add(program, "actor", itertools.chain(*actors))
    _add(program, "population", controllers)
    _add(program, "evaluator", evaluators)
    servers = {"queue": queues, "learner": learners, "teacher": teachers}
    if config.base_port:
        addresses.fix(program, servers, config, host_of)
    elif this_machine.name() != addresses.LAUNCHPADS_HOST:
        addresses.take_free_ports(program, servers, this_machine.name())
    return program


def _add(program: lp.Program, group: str, nodes: Iterable[lp.PyNode]) -> None:
    with program.group(group):
        for node in nodes:
            program.add_node(node)
