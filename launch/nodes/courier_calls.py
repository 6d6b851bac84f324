"""Calls to other nodes whose answers nobody waits for any longer."""

from concurrent import futures


class _GivenUp:
    """What Courier's callback takes for a cancelled future."""

    def cancelled(self) -> bool:
        return True


def give_up(call: futures.Future) -> None:
    """Ends a call that may have no answer yet.

    A Courier client that is destroyed, by whichever thread collects it, first waits for
    its calls until their deadline: a minute where the node that was called is gone.
    Future.cancel would end a call as well, but should its answer come just then,
    Courier ends the process, for a cancelled future takes no result. So Courier alone
    is told, and the future takes what comes.

    Args:
      call: of a Courier client's `futures`.
    """
    # Courier keeps what ends the call there, and nowhere else.
    for callback in list(vars(call)["_done_callbacks"]):
        callback(_GivenUp())
