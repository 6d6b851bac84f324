"""The topology: which nodes there are and who talks to whom.

environments → actor ──unroll──▶ teacher ──logits──▶ queue ──▶ learner ──params──▶ actor
"""

import functools
from collections.abc import Sequence
from typing import Any

import launchpad as lp
import numpy as np
import reverb
from launchpad import address as lp_address

from kickstarting import config as config_lib
from kickstarting import trajectory_example, trajectory_queue
from kickstarting.environments import suites
from launch import (
    actor_node,
    evaluator_node,
    learner_node,
    members,
    population_node,
    teacher_node,
)

# Unrolls that may wait for a teacher at once in one replica: each blocks a thread.
_TEACHER_THREADS = 64
_CALL_SECONDS = 60.0


class _QueueNode(lp.ReverbNode):
    """Reverb's node, but its server is stopped with the program.

    A reader that is blocked at that moment stays so: it must be a daemon thread.
    """

    def run(self) -> None:
        server = reverb.Server(
            tables=self._priority_tables_fn(),
            port=lp_address.get_port_from_address(self._address.resolve()),
        )
        lp.wait_for_stop()
        server.stop()


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
) -> lp.Program:
    """Returns the ring, or those of a population, as a Launchpad program.

    All members share the teacher servers.

    Args:
      config: of the run, already checked.
      teacher_returns: float32 [num_tasks, K], TeacherReturns.assured().
      resumed_frames: of each member, of the checkpoint that it goes on from, else 0.
    """
    program = lp.Program("kickstarting")
    servers: list[Any] = []
    of_members = members.configs(config)
    queues, learners = [], []
    with program.group("queue"):
        for member in of_members:
            node = _QueueNode(functools.partial(_tables, member))
            servers.append(node)
            queues.append(program.add_node(node))
    with program.group("learner"):
        for member, queue in zip(of_members, queues, strict=True):
            node = lp.CourierNode(
                learner_node.LearnerNode, member, teacher_returns, queue
            )
            servers.append(node)
            learner = program.add_node(node)
            learner.set_client_kwargs(call_timeout=_CALL_SECONDS)
            learners.append(learner)
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
    with program.group("actor"):
        for member, frames, learner, queue in zip(
            of_members, resumed_frames, learners, queues, strict=True
        ):
            for index in range(config.num_actors):
                program.add_node(
                    lp.PyNode(
                        actor_node.run, member, index, frames, learner, queue, teachers
                    )
                )
    if len(of_members) > 1:
        with program.group("population"):
            program.add_node(lp.PyNode(population_node.run, config, learners))
    if config.evaluation_episodes and config.evaluation_minutes:
        with program.group("evaluator"):
            for member in of_members:
                program.add_node(lp.PyNode(evaluator_node.run, member))
    if config.base_port:
        _fix_ports(servers, config.base_port)
    return program


def _tables(config: config_lib.Config) -> Sequence[reverb.Table]:
    spec = suites.environment_spec(
        config.tasks[0], config.action_repeat, config.lab.action_set
    )
    example = trajectory_example.example(config, spec)
    return [trajectory_queue.table(example, config.resolved_queue_size)]


def _fix_ports(nodes: Sequence[Any], base_port: int) -> None:
    for port, node in enumerate(nodes, base_port):
        node.bind_addresses = functools.partial(_bind, node, port)


def _bind(node: Any, port: int) -> None:
    for address in node.addresses:
        address.bind(_FixedPort(port))
