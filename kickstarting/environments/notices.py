"""What an environment has to say to those who run it: each thing once.

In a worker it is sent to the parent, which says it once for all of its workers.
"""

from collections.abc import Callable

from absl import logging


def _log(text: str) -> None:
    logging.warning("%s", text)


_teller: Callable[[str], None] = _log
_told: set[str] = set()


def tell(text: str) -> None:
    """Says a line, unless this process has said it before."""
    if text not in _told:
        _told.add(text)
        _teller(text)


def hand_to(teller: Callable[[str], None]) -> None:
    """Has `teller` say from now on what this process has to say; the log did so far."""
    global _teller
    _teller = teller
