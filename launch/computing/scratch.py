"""A folder for temporary files that goes with the process, whatever is left in it.

Launchpad, Reverb, ViZDoom and environments of others leave files there, the more so
where their process is killed.
"""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator

_VARIABLE = "TMPDIR"


def check() -> None:
    """Ends the process where no temporary file can be made; some modules try at once.

    Raises:
      SystemExit: it has said so.
    """
    try:
        tempfile.gettempdir()
    except OSError:
        print(
            "no folder for temporary files can be written to: make room in /tmp, or "
            f"name another one in {_VARIABLE}",
            file=sys.stderr,
        )
        raise SystemExit(2) from None


@contextlib.contextmanager
def folder() -> Iterator[None]:
    """Gives this process, and those that it starts, the folder within.

    Raises:
      SystemExit: see check.
    """
    check()
    before = os.environ.get(_VARIABLE)
    made = tempfile.mkdtemp(prefix="kickstarting-")
    os.environ[_VARIABLE] = tempfile.tempdir = _Folder.made = made
    try:
        yield
    finally:
        tempfile.tempdir = None
        os.environ.pop(_VARIABLE)
        if before is not None:
            os.environ[_VARIABLE] = before
        remove()


def remove() -> None:
    """Removes the folder, for who ends without leaving `folder`."""
    if _Folder.made:
        # Who is about to end may still write there.
        shutil.rmtree(_Folder.made, ignore_errors=True)
        _Folder.made = ""


class _Folder:
    """The one of this process; empty: there is none."""

    made = ""
