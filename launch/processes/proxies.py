"""Keeps what the nodes of a run tell each other away from proxies.

Courier and Reverb speak gRPC, which asks the proxy of grpc_proxy, https_proxy or
http_proxy for every host, localhost too, but for those that no_grpc_proxy names, or,
where that is missing, no_proxy. Nobody but gRPC reads no_grpc_proxy: all else that runs
in a node, such as a person's environment, goes by the proxy as before.
"""

import os
from collections.abc import Iterable

_DIRECT_FOR_GRPC, _DIRECT = "no_grpc_proxy", "no_proxy"


def keep_away(hosts: Iterable[str]) -> None:
    """Has this process, and those that it starts, reach hosts without a proxy.

    Args:
      hosts: as the addresses of the program name them.
    """
    before = os.environ.get(_DIRECT_FOR_GRPC, os.environ.get(_DIRECT, ""))
    # gRPC takes a space for a part of the name.
    listed = [host.strip() for host in before.split(",")]
    direct = dict.fromkeys(host for host in (*listed, *hosts) if host)
    os.environ[_DIRECT_FOR_GRPC] = ",".join(direct)
