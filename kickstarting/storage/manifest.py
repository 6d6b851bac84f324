"""A manifest of checksums, which says that a folder was written whole.

The manifest holds the sha256 of every other file of its folder and is written last, by
a rename: a folder without it was cut short, one that it does not match was damaged.
Files that it does not name are ignored.
"""

import hashlib
import json
import os
import pathlib

NAME = "manifest.json"


class Unsound(Exception):
    """A folder that is not as it was written; its message is one line, the reason."""


def write(folder: pathlib.Path) -> None:
    """Vouches for all files now in `folder`; they are on the disk when it returns."""
    hashes = _hashes(folder)
    # The data must be on the disk before the manifest that vouches for it.
    for name in hashes:
        with open(folder / name, "rb") as file:
            os.fsync(file.fileno())
    partial = folder / (NAME + ".partial")
    with open(partial, "w") as file:
        json.dump(hashes, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, folder / NAME)


def check(folder: pathlib.Path) -> None:
    """Compares every file with its checksum.

    Raises:
      Unsound: there is no manifest, it is damaged, or a file differs from it.
    """
    try:
        manifest = json.loads((folder / NAME).read_text())
        hashes = _hashes(folder)
    except FileNotFoundError as error:
        raise Unsound("it was not written to its end (it has no manifest)") from error
    except (OSError, ValueError, RecursionError) as error:
        raise Unsound(
            f"its manifest cannot be read ({type(error).__name__})"
        ) from error
    if not isinstance(manifest, dict) or not manifest:
        raise Unsound("its manifest is damaged")
    for name, digest in manifest.items():
        if name not in hashes:
            raise Unsound(f"{name!r} is missing")
        if hashes[name] != digest:
            raise Unsound(f"{name!r} is damaged")


def _hashes(folder: pathlib.Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / NAME
    }
