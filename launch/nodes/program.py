"""The topology: which nodes there are and who talks to whom.

environments → actor ──unroll──▶ teacher ──logits──▶ queue ──▶ learner ──params──▶ actor
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import launchpad as lp
import numpy as np
from launchpad import address as lp_address

from kickstarting.config import run as config_lib
from launch.nodes import evaluator as evaluator_node
from launch.nodes import population as population_node
from launch.nodes import ring as ring_nodes
from launch.nodes import teacher as teacher_node
from launch.processes import member_process, members

# Launchpad gives it to every node that has no other host.
THIS_MACHINE = "localhost"
# Unrolls that may wait for a teacher at once in one replica: each blocks a thread.
_TEACHER_THREADS = 64


class _FixedAddress(lp_address.AbstractAddressBuilder):
    """An address that is known before the program is launched."""

    def __init__(self, host: str, port: int) -> None:
        self._address = f"{host}:{port}"

    def build(self) -> str:
        return self._address


class _Server(NamedTuple):
    """A node that listens: the number-th of its group."""

    group: str
    number: int
    node: Any


def on_this_machine(group: str, number: int) -> str:
    """Returns the host of every node where all are on one machine."""
    del group, number
    return THIS_MACHINE


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
    program = lp.Program("kickstarting")
    of_members = members.configs(config)
    rings = [ring_nodes.RingNodes(member, teacher_returns) for member in of_members]
    learners = [ring.learner_handle for ring in rings]
    servers = [_Server("queue", i, ring.queue) for i, ring in enumerate(rings)]
    servers += [_Server("learner", i, ring.learner) for i, ring in enumerate(rings)]
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
                servers.append(_Server("teacher", index, node))
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
        _fix_addresses(program, servers, config.base_port, host_of)
    return program


def _fix_addresses(
    program: lp.Program,
    servers: Sequence[_Server],
    base_port: int,
    host_of: Callable[[str, int], str],
) -> None:
    """Gives each server's address a host, and a port in the servers' order.

    Args:
      program: whose nodes bind their addresses, and those of the nodes within them.
      servers: that listen, each at one address.
      base_port: of the first one.
      host_of: see make_program.
    """
    fixed = {
        id(address): _FixedAddress(host_of(server.group, server.number), port)
        for port, server in enumerate(servers, base_port)
        for address in server.node.addresses
    }
    for node in program.get_all_nodes():
        if any(id(address) in fixed for address in node.addresses):
            node.bind_addresses = functools.partial(
                _bind, [(each, fixed[id(each)]) for each in node.addresses]
            )


def _bind(fixed: Sequence[tuple[Any, _FixedAddress]]) -> None:
    for address, builder in fixed:
        address.bind(builder)
