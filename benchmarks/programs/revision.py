"""Another revision of the project, in a folder of its own."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator

from kickstarting.config import run as config_lib


@contextlib.contextmanager
def checkout(revision: str, repository: str = ".") -> Iterator[str]:
    """Checks a revision out, for as long as the block lasts.

    Args:
      revision: that Git knows.
      repository: whose revision it is.

    Yields:
      the folder.

    Raises:
      config_lib.ConfigError: there is no such revision.
    """
    folder = tempfile.mkdtemp(prefix="revision")
    git = ("git", "-C", repository, "worktree")
    try:
        added = subprocess.run(
            (*git, "add", "--detach", "--force", folder, revision),
            capture_output=True,
            text=True,
            check=False,
        )
        if added.returncode:
            reason = added.stderr.strip().splitlines()[-1]
            raise config_lib.ConfigError(f"cannot check out {revision!r}: {reason}")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run((*git, "prune"), capture_output=True, check=False)
