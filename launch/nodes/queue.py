"""The queue node: Reverb's server with the one table of a ring.

Reverb loads TensorFlow, which takes longer than all else. It is loaded where the queue
is served or called, and so in no launcher of processes.
"""

from typing import Any

import launchpad as lp
from launchpad import address as lp_address
from launchpad.nodes import base

from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.queue import example as trajectory_example

_PORT_NAME = "reverb"


class QueueNode(lp.PyNode):
    """Serves the queue until the program stops.

    A reader that is blocked at that moment stays so: it must be a daemon thread.
    """

    def __init__(self, config: config_lib.Config) -> None:
        """Is in no program yet.

        Args:
          config: of the run, or of a population's member.
        """
        super().__init__(self.run)
        self._config = config
        self._address = lp_address.Address(_PORT_NAME)
        self.allocate_address(self._address)

    def create_handle(self) -> "QueueHandle":
        """Returns what gives other nodes a client."""
        return self._track_handle(QueueHandle(self._address))

    def run(self) -> None:
        """Serves until the program stops."""
        import reverb

        from kickstarting.queue import reverb_queue

        config = self._config
        spec = suites.environment_spec(
            config.tasks[0], config.action_repeat, config.lab.action_set
        )
        example = trajectory_example.example(config, spec)
        server = reverb.Server(
            tables=[reverb_queue.table(example, config.resolved_queue_size)],
            port=lp_address.get_port_from_address(self._address.resolve()),
        )
        lp.wait_for_stop()
        server.stop()


class QueueHandle(base.Handle):
    """Becomes Reverb's client where a node takes it."""

    def __init__(self, address: lp_address.Address) -> None:
        self._address = address

    def dereference(self) -> Any:
        """Returns the client."""
        import reverb

        return reverb.Client(self._address.resolve())
