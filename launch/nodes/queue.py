"""The queue node: Reverb's server with the one table of a ring.

Reverb is loaded where the queue is served or called, and so in no launcher of
processes.
"""

from typing import Any

import launchpad as lp
from launchpad import address as lp_address
from launchpad.nodes import base

_PORT_NAME = "reverb"


class QueueNode(lp.PyNode):
    """Serves the queue until the program stops.

    A reader that is blocked at that moment stays so: it must be a daemon thread.
    """

    def __init__(self, size: int) -> None:
        """Is in no program yet.

        Args:
          size: unrolls held before writers are held back.
        """
        super().__init__(self.run)
        self._size = size
        self._address = lp_address.Address(_PORT_NAME)
        self.allocate_address(self._address)

    def create_handle(self) -> "QueueHandle":
        """Returns what gives other nodes a client."""
        return self._track_handle(QueueHandle(self._address))

    def run(self) -> None:
        """Serves until the program stops."""
        from kickstarting.queue import reverb_queue

        server = reverb_queue.server(
            self._size, lp_address.get_port_from_address(self._address.resolve())
        )
        lp.wait_for_stop()
        server.stop()


class QueueHandle(base.Handle):
    """Becomes Reverb's client where a node takes it."""

    def __init__(self, address: lp_address.Address) -> None:
        self._address = address

    def dereference(self) -> Any:
        """Returns the client."""
        from kickstarting.queue import reverb_queue

        return reverb_queue.client(self._address.resolve())
