"""What the tests of worker processes must know about processes."""

import pathlib
import time
from collections.abc import Iterable


def is_alive(process_id: int) -> bool:
    """Returns whether the process exists and is no zombie."""
    return _state_and_parent(process_id)[0] not in "ZX"


def descendants(process_id: int) -> set[int]:
    """Returns the living descendants of a process."""
    parents = {
        int(entry.name): _state_and_parent(int(entry.name))[1]
        for entry in pathlib.Path("/proc").iterdir()
        if entry.name.isdigit()
    }
    found, fresh = set(), {process_id}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh}
        found |= fresh
    return {each for each in found if is_alive(each)}


def wait_until_gone(process_ids: Iterable[int], seconds: float) -> bool:
    """Returns whether all processes ended within so many seconds."""
    deadline = time.monotonic() + seconds
    while any(is_alive(each) for each in process_ids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _state_and_parent(process_id: int) -> tuple[str, int]:
    try:
        text = pathlib.Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return "X", 0
    # The name in parentheses may hold spaces.
    state, parent = text.rpartition(")")[2].split()[:2]
    return state, int(parent)
