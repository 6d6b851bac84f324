"""Where the servers of a program listen, if that is known before its launch."""

from collections.abc import Callable, Mapping, Sequence

import launchpad as lp
from launchpad import address as lp_address

from kickstarting.config import run as config_lib
from launch.monitoring import node_names


class _FixedAddress(lp_address.AbstractAddressBuilder):
    def __init__(self, host: str, port: int) -> None:
        self._address = f"{host}:{port}"

    def build(self) -> str:
        return self._address


def fix(
    program: lp.Program,
    servers: Mapping[str, Sequence[lp.PyNode]],
    config: config_lib.Config,
    host_of: Callable[[str, int], str],
) -> None:
    """Gives each server its host and its port, and leaves Launchpad none to give.

    Args:
      program: in which servers alone have addresses.
      servers: by group, the nodes that listen, each at one address.
      config: of the run, with a base_port.
      host_of: gives the host of a node by its group and its number in that.
    """
    for group, nodes in servers.items():
        ports = node_names.ports(config, group)
        for number, (node, port) in enumerate(zip(nodes, ports, strict=True)):
            (address,) = node.addresses
            address.bind(_FixedAddress(host_of(group, number), port))
    for node in program.get_all_nodes():
        # At its launch it would take free ports of this machine.
        node.bind_addresses = _has_addresses


def _has_addresses() -> None:
    """Binds nothing."""
