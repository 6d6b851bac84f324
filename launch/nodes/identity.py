"""Nodes that answer their own run alone.

Two servers can listen on one port of a machine, and their clients are dealt to both;
and where a server has gone, one of another run may come. So all that nodes ask of each
other carries the identity of the run, and nobody else has an answer.
"""

import hashlib
import os
from typing import Any

import launchpad as lp

_LENGTH = 12


class AnotherRunError(RuntimeError):
    """A server is of another run; the message is one line."""


def of(logdir: str) -> str:
    """Returns the identity of a run, or of a population's member.

    Args:
      logdir: its folder, at one path on all machines.
    """
    return hashlib.sha256(os.path.abspath(logdir).encode()).hexdigest()[:_LENGTH]


def check(error: Exception) -> None:
    """Checks what a call has failed with.

    Args:
      error: what Courier raised.

    Raises:
      AnotherRunError: the server does not know the run.
    """
    # Courier has no type for it.
    text = str(error)
    if text.startswith("method ") and text.endswith(" not found"):
        raise AnotherRunError(
            "another run's server answers at the address of this one's: give them "
            "other --base_port"
        ) from error


class CourierNode(lp.CourierNode):
    """Serves the public methods of an object to clients of the same identity."""

    def __init__(
        self, identity: str, constructor: Any, *arguments: Any, **keywords: Any
    ) -> None:
        """See lp.CourierNode.

        Args:
          identity: of the run or the member.
          constructor: of the object.
          *arguments: its own.
          **keywords: its own, and courier_kwargs.
        """
        super().__init__(constructor, *arguments, **keywords)
        self._identity = identity

    def client(self, call_seconds: float) -> Any:
        """Returns a handle that becomes a Client where another node takes it.

        Args:
          call_seconds: after which a call fails.
        """
        handle = _Handle(self._identity, self.courier_address)
        handle.set_client_kwargs(call_timeout=call_seconds)
        return self._track_handle(handle)

    def _construct_instance(self) -> Any:
        return _Served(self._identity, super()._construct_instance())


class Client:
    """Calls a node by the names that its methods have there.

    Attributes:
      futures: as Courier's: calls that return a future.
    """

    def __init__(self, identity: str, client: Any) -> None:
        """Calls nobody yet.

        Args:
          identity: of the run or the member.
          client: Courier's.
        """
        self._identity = identity
        self._client = client
        self.futures = _Futures(identity, client)

    def __getattr__(self, method: str) -> Any:
        return getattr(self._client, _name(method, self._identity))


class _Futures:
    def __init__(self, identity: str, client: Any) -> None:
        self._identity = identity
        # Its futures alone would not keep it, and it is shut down when nobody does.
        self._client = client

    def __getattr__(self, method: str) -> Any:
        return getattr(self._client.futures, _name(method, self._identity))


class _Handle(lp.CourierHandle):
    def __init__(self, identity: str, address: Any) -> None:
        super().__init__(address)
        self._identity = identity

    def dereference(self) -> Client:
        return Client(self._identity, super().dereference())


class _Served:
    """An object, of which Courier sees the methods by their names for clients."""

    def __init__(self, identity: str, instance: Any) -> None:
        for method in dir(instance):
            if not method.startswith("_") and callable(getattr(instance, method)):
                name = _name(method, identity)
                setattr(self, name, getattr(instance, method))
        self._run = getattr(instance, "run", None)

    def run(self) -> None:
        """Runs the object until the program stops."""
        if self._run is None:
            lp.wait_for_stop()
        else:
            self._run()


def _name(method: str, identity: str) -> str:
    return f"{method}@{identity}"
