"""The topology: which nodes there are and who talks to whom.

environments → actor ──unroll──▶ teacher ──logits──▶ queue ──▶ learner ──params──▶ actor
"""

import functools
from collections.abc import Sequence
from typing import Any

import launchpad as lp
import numpy as np
from launchpad import address as lp_address

from kickstarting import config as config_lib
from launch import (
    evaluator_node,
    member_process,
    members,
    population_node,
    ring_nodes,
    teacher_node,
)

# Unrolls that may wait for a teacher at once in one replica: each blocks a thread.
_TEACHER_THREADS = 64


class _FixedPort(lp_address.AbstractAddressBuilder):
    """An address on this machine with a port chosen by the user."""

    def __init__(self, port: int) -> None:
        self._port = port

    def build(self) -> str:
        return f"localhost:{self._port}"


def make_program(
    config: config_lib.Config,
    teacher_returns: np.ndarray,
    resumed_frames: Sequence[int],
    process_per_member: bool = False,
) -> lp.Program:
    """Returns the ring, or those of a population, as a Launchpad program.

    All members share the teacher servers.

    Args:
      config: of the run, already checked.
      teacher_returns: float32 [num_tasks, K], TeacherReturns.assured().
      resumed_frames: of each member, of the checkpoint that it goes on from, else 0.
      process_per_member: whether the nodes of each member are one, which is a process
        of its own where nodes are processes.
    """
    program = lp.Program("kickstarting")
    of_members = members.configs(config)
    rings = [ring_nodes.RingNodes(member, teacher_returns) for member in of_members]
    learners = [ring.learner_handle for ring in rings]
    servers: list[Any] = [ring.queue for ring in rings]
    servers += [ring.learner for ring in rings]
    teachers = []
    if config.asks_teachers:
        with program.group("teacher"):
            for index in range(config.kickstarting.replicas):
                node = lp.CourierNode(
                    teacher_node.TeacherNode,
                    config,
                    index,
                    learners,
                    courier_kwargs={"thread_pool_size": _TEACHER_THREADS},
                )
                servers.append(node)
                teacher = program.add_node(node)
                teacher.set_client_kwargs(
                    call_timeout=config.kickstarting.deadline_seconds
                )
                teachers.append(teacher)
    actors = [
        ring.actors(frames, teachers)
        for ring, frames in zip(rings, resumed_frames, strict=True)
    ]
    if process_per_member:
        with program.group("member"):
            for index, (ring, its_actors) in enumerate(zip(rings, actors, strict=True)):
                program.add_node(
                    member_process.MemberNode(
                        [ring.queue, ring.learner, *its_actors],
                        of_members[0] if index else None,
                    )
                )
    else:
        for group, nodes in (
            ("queue", [ring.queue for ring in rings]),
            ("learner", [ring.learner for ring in rings]),
            ("actor", [actor for its_actors in actors for actor in its_actors]),
        ):
            with program.group(group):
                for node in nodes:
                    program.add_node(node)
    if len(of_members) > 1:
        with program.group("population"):
            program.add_node(lp.PyNode(population_node.run, config, learners))
    if config.evaluation_episodes and config.evaluation_minutes:
        with program.group("evaluator"):
            for member in of_members:
                program.add_node(lp.PyNode(evaluator_node.run, member))
    if config.base_port:
        _fix_ports(program, servers, config.base_port)
    return program


def _fix_ports(program: lp.Program, servers: Sequence[Any], base_port: int) -> None:
    """Gives each server's address a port, in the servers' order.

    Args:
      program: whose nodes bind their addresses, and those of the nodes within them.
      servers: that listen, each at one address.
      base_port: of the first one.
    """
    ports = {
        id(address): port
        for port, server in enumerate(servers, base_port)
        for address in server.addresses
    }
    for node in program.get_all_nodes():
        if any(id(address) in ports for address in node.addresses):
            node.bind_addresses = functools.partial(
                _bind, [(each, ports[id(each)]) for each in node.addresses]
            )


def _bind(ports: Sequence[tuple[Any, int]]) -> None:
    for address, port in ports:
        address.bind(_FixedPort(port))
