"""Where the servers of a program listen, if that is known before its launch."""

import itertools
from collections.abc import Callable, Mapping, Sequence

import launchpad as lp
import portpicker
from launchpad import address as lp_address

from kickstarting.config import run as config_lib
from launch.monitoring import node_names

# That of the addresses which Launchpad itself gives to the nodes of one machine.
LAUNCHPADS_HOST = "localhost"


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
    _leave_none(program)


def take_free_ports(
    program: lp.Program, servers: Mapping[str, Sequence[lp.PyNode]], host: str
) -> None:
    """Does what Launchpad would do at the launch, by another name of this machine.

    Args:
      program: see fix.
      servers: see fix.
      host: the name.
    """
    for node in itertools.chain(*servers.values()):
        (address,) = node.addresses
        address.bind(_FixedAddress(host, portpicker.pick_unused_port()))
    _leave_none(program)


def _leave_none(program: lp.Program) -> None:
    for node in program.get_all_nodes():
        # At its launch it would take free ports of this machine.
        node.bind_addresses = _has_addresses


def _has_addresses() -> None:
    """Binds nothing."""
