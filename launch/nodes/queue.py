"""The queue node: Reverb's server with the one table of a ring.

Reverb is loaded where the queue is served or called, and so in no launcher of
processes.
"""

from typing import Any

import launchpad as lp
from launchpad import address as lp_address
from launchpad.nodes import base

_PORT_NAME = "reverb"
_TABLE = "unrolls"


class QueueNode(lp.PyNode):
    """Serves the queue until the program stops.

    A reader that is blocked at that moment stays so: it must be a daemon thread.
    """

    def __init__(self, size: int, identity: str) -> None:
        """Is in no program yet.

        Args:
          size: unrolls held before writers are held back.
          identity: of the run or the member; the table is named after it.
        """
        super().__init__(self.run)
        self._size = size
        self._table = f"{_TABLE}@{identity}"
        self._address = lp_address.Address(_PORT_NAME)
        self.allocate_address(self._address)

    def create_handle(self) -> "QueueHandle":
        """Returns what gives other nodes a client."""
        return self._track_handle(QueueHandle(self._address, self._table))

    def run(self) -> None:
        """Serves until the program stops."""
        from kickstarting.queue import reverb_queue

        server = reverb_queue.server(
            self._size,
            lp_address.get_port_from_address(self._address.resolve()),
            self._table,
        )
        lp.wait_for_stop()
        server.stop()


class QueueHandle(base.Handle):
    """Becomes Reverb's client where a node takes it."""

    def __init__(self, address: lp_address.Address, table: str) -> None:
        self._address = address
        self._table = table

    def dereference(self) -> Any:
        """Returns the client."""
        from kickstarting.queue import reverb_queue

        return reverb_queue.client(self._address.resolve(), self._table)
