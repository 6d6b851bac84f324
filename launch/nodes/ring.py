"""The nodes of one ring: queue, learner and actors, wired to one another."""

import functools
from collections.abc import Sequence
from typing import Any

import launchpad as lp
import numpy as np
import reverb
from launchpad import address as lp_address

from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.queue import example as trajectory_example
from kickstarting.queue import reverb_queue
from launch.nodes import actor as actor_node
from launch.nodes import learner as learner_node
from launch.nodes import member_learner

_CALL_SECONDS = 60.0


class RingNodes:
    """Nodes that are in no program yet.

    Attributes:
      queue: Reverb's node.
      learner: Courier's node of LearnerNode, or of a member's.
      learner_handle: what others call the learner by.
    """

    def __init__(self, config: config_lib.Config, teacher_returns: np.ndarray) -> None:
        """Makes queue and learner.

        Args:
          config: of the run, or of a population's member.
          teacher_returns: float32 [num_tasks, K], TeacherReturns.assured().
        """
        self._config = config
        self.queue = _QueueNode(functools.partial(_tables, config))
        self._queue_handle = self.queue.create_handle()
        is_member = config.population.size > 1
        self.learner = lp.CourierNode(
            member_learner.MemberLearnerNode if is_member else learner_node.LearnerNode,
            config,
            teacher_returns,
            self._queue_handle,
        )
        self.learner_handle = self.learner.create_handle()
        self.learner_handle.set_client_kwargs(call_timeout=_CALL_SECONDS)

    def actors(self, resumed_frames: int, teachers: Sequence[Any]) -> list[lp.PyNode]:
        """Makes the ring's actors.

        Args:
          resumed_frames: of the checkpoint that the learner goes on from, else 0.
          teachers: handles of the teacher servers.
        """
        return [
            lp.PyNode(
                actor_node.run,
                self._config,
                index,
                resumed_frames,
                self.learner_handle,
                self._queue_handle,
                teachers,
            )
            for index in range(self._config.num_actors)
        ]


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


def _tables(config: config_lib.Config) -> Sequence[reverb.Table]:
    spec = suites.environment_spec(
        config.tasks[0], config.action_repeat, config.lab.action_set
    )
    example = trajectory_example.example(config, spec)
    return [reverb_queue.table(example, config.resolved_queue_size)]
