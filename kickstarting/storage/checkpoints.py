"""Checkpoints of a run: written by Orbax, proven sound by a manifest of checksums.

A checkpoint is a folder `checkpoint-<number>-<frames>`:

  state/           the arrays, written and finalised (by a rename) by Orbax
  checkpoint.json  frames, the run's metadata, and each array's dtype and shape
  manifest.json    sha256 of every other file; written last

A checkpoint whose manifest is missing or does not match was cut short or damaged: it is
passed over and the next older one is taken. The number, not the frames, says which is
newest, so that a run which starts again at 0 frames in a used folder is not outlived
by its predecessor. One process writes to a folder; any number may read it.
"""

import dataclasses
import json
import os
import pathlib
import re
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any

import jax
from absl import logging

from kickstarting.agent import trajectory
from kickstarting.storage import arrays as array_files
from kickstarting.storage import manifest

# Where a run's folder keeps its checkpoints.
SUBFOLDER = "checkpoints"
# The entry of a saved tree that holds the network's parameters.
PARAMS = "params"

_NAME = re.compile(r"checkpoint-(\d{6,})-(\d+)")
_STATE = "state"
_DESCRIPTION = "checkpoint.json"
_FORMAT = 1
_ADVICE = "go on with the settings it was made with, or choose another run folder"


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be written or read; its message is one line."""


class CheckpointMismatch(CheckpointError):
    """A sound checkpoint of another kind of run; its message is one line."""


@dataclasses.dataclass(frozen=True)
class Restored:
    """What a checkpoint held.

    Attributes:
      frames: environment frames at which it was written.
      tree: the saved pytree; leaves are NumPy arrays, or Python numbers where the
        template has them.
      metadata: the run's metadata, as JSON gives it back (tuples are lists).
    """

    frames: int
    tree: Any
    metadata: dict[str, Any]


class Checkpoints:
    """The checkpoints in one folder."""

    def __init__(self, directory: str | os.PathLike[str], keep: int) -> None:
        """Nothing is touched before the first save or restore.

        Args:
          directory: the folder; made by the first save.
          keep: how many of the newest checkpoints a save leaves, at least 1.
        """
        if keep < 1:
            raise CheckpointError(f"keep must be at least 1, not {keep}")
        self._directory = pathlib.Path(directory).absolute()
        self._keep = keep

    def save(self, frames: int, tree: Any, metadata: Mapping[str, Any]) -> pathlib.Path:
        """Writes a checkpoint and removes those beyond the newest `keep`.

        Killed at any moment, it leaves the older checkpoints as they were.

        Args:
          frames: environment frames so far.
          tree: pytree of arrays and Python numbers; the entry 'params' holds what
            `load_params` gives back. Random keys must be raw key data.
          metadata: what a run must share with this one to go on from it, and whatever
            else is worth keeping; JSON-serialisable.

        Returns:
          The checkpoint's folder.

        Raises:
          CheckpointError: the disk is full, the folder unwritable, or `tree` or
            `metadata` hold what a checkpoint cannot.
        """
        try:
            arrays = array_files.to_numpy(array_files.flatten(tree))
            leaves = {name: array_files.signature(arrays[name]) for name in arrays}
            description = json.dumps(
                {
                    "format": _FORMAT,
                    "frames": int(frames),
                    "metadata": dict(metadata),
                    "leaves": leaves,
                },
                indent=1,
            )
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"cannot checkpoint this: {_line(error)}") from error
        number = max(map(_number, _folders(self._directory)), default=0) + 1
        folder = self._directory / f"checkpoint-{number:06d}-{int(frames)}"
        try:
            folder.mkdir(parents=True)
            array_files.save(folder / _STATE, arrays)
            (folder / _DESCRIPTION).write_text(description)
            manifest.write(folder)
        # Orbax and TensorStore report a full disk by several types of exception.
        except Exception as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise CheckpointError(
                f"cannot write a checkpoint to {self._directory}: {_line(error)}; "
                "free disk space or choose another run folder"
            ) from error
        self._remove_old()
        return folder

    def restore_newest(
        self, template: Any, expected: Mapping[str, Any]
    ) -> Restored | None:
        """Reads the newest sound checkpoint; each one passed over is warned of.

        Args:
          template: pytree of the structure, shapes and dtypes that are wanted; leaves
            are arrays, jax.ShapeDtypeStruct or Python numbers.
          expected: entries that the checkpoint's metadata must have.

        Returns:
          The checkpoint, or None where there is no sound one.

        Raises:
          CheckpointMismatch: the newest sound checkpoint was made by another kind of
            run: its metadata or its arrays differ from what is wanted.
          CheckpointError: it cannot be read though it is sound.
        """
        newest = newest_sound(self._directory)
        if newest is None:
            return None
        folder, description = newest
        wanted = array_files.flatten(template)
        check_metadata(folder, description["metadata"], expected)
        _check_leaves(folder, description["leaves"], wanted)
        arrays = _load_arrays(folder, description)
        leaves = [
            arrays[name].item() if isinstance(leaf, int | float) else arrays[name]
            for name, leaf in wanted.items()
        ]
        return Restored(
            frames=description["frames"],
            tree=jax.tree_util.tree_unflatten(
                jax.tree_util.tree_structure(template), leaves
            ),
            metadata=description["metadata"],
        )

    def newest_sound_metadata(self) -> dict[str, Any] | None:
        """Returns the newest sound checkpoint's metadata, or None without one."""
        newest = newest_sound(self._directory)
        return newest[1]["metadata"] if newest else None

    def _remove_old(self) -> None:
        finished = 0
        for folder in reversed(_folders(self._directory)):
            if (folder / manifest.NAME).is_file() and finished < self._keep:
                finished += 1
                continue
            try:
                # Without its manifest a half-removed checkpoint is never restored.
                (folder / manifest.NAME).unlink(missing_ok=True)
                shutil.rmtree(folder)
            except OSError as error:
                logging.warning("Cannot remove %s: %s", folder, _line(error))


def newest_sound(directory: pathlib.Path) -> tuple[pathlib.Path, dict[str, Any]] | None:
    """Finds the newest sound checkpoint; each one passed over is warned of.

    Args:
      directory: the folder of checkpoints; it need not exist.

    Returns:
      Its folder and its description ('frames', 'metadata', 'leaves'), or None.

    Raises:
      CheckpointMismatch: it has the format of another version of this program.
    """
    for folder in reversed(_folders(directory)):
        try:
            return folder, _read_description(folder)
        except manifest.Unsound as reason:
            logging.warning("Passing over checkpoint %s: %s", folder, reason)
    return None


def load_params(
    path: str | os.PathLike[str],
) -> tuple[trajectory.Params, dict[str, Any]]:
    """Reads the network's parameters; see `load_tree`."""
    tree, metadata = load_tree(path)
    return tree[PARAMS], metadata


def load_tree(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Reads the newest sound checkpoint, whatever tree was saved.

    Args:
      path: a run's folder, its folder of checkpoints, or one checkpoint.

    Returns:
      The tree as nested dicts of NumPy arrays, and the checkpoint's metadata.

    Raises:
      CheckpointError: there is no sound checkpoint there, or it holds no parameters.
    """
    directory = pathlib.Path(path).absolute()
    if _NAME.fullmatch(directory.name):
        try:
            folder, description = directory, _read_description(directory)
        except manifest.Unsound as reason:
            raise CheckpointError(
                f"{directory} is not sound: {reason}; name the run's folder to have "
                "its newest sound checkpoint"
            ) from reason
    else:
        inner = directory / SUBFOLDER
        newest = newest_sound(inner if inner.is_dir() else directory)
        if newest is None:
            raise CheckpointError(
                f"there is no sound checkpoint in {directory}: name a run's folder"
            )
        folder, description = newest
    arrays = _load_arrays(folder, description)
    tree: dict[str, Any] = {}
    for name, array in arrays.items():
        *parents, leaf = name.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = array
    if PARAMS not in tree:
        raise CheckpointError(f"{folder} holds no network parameters")
    return tree, description["metadata"]


def check_metadata(
    folder: str | os.PathLike[str],
    metadata: Mapping[str, Any],
    expected: Mapping[str, Any],
) -> None:
    """Checks that a checkpoint is of this kind of run.

    Args:
      folder: the checkpoint's or the run's, named in the error.
      metadata: the checkpoint's.
      expected: entries that it must have; it may have others.

    Raises:
      CheckpointMismatch: an entry differs; both values are named.
    """
    # JSON makes lists of tuples, as it did of those in the checkpoint's metadata.
    for name, value in json.loads(json.dumps(dict(expected))).items():
        if metadata.get(name) != value:
            raise CheckpointMismatch(
                f"{os.fspath(folder)} was made with {name} = {metadata.get(name)!r}, "
                f"but this run has {value!r}: {_ADVICE}"
            )


def check_writable(directory: str | os.PathLike[str], free_bytes: int) -> None:
    """Makes the folder and tries it, so that a run fails at its start and not later.

    Args:
      directory: the folder.
      free_bytes: the free space that its disk must have.

    Raises:
      CheckpointError: it cannot be written to, or there is too little space.
    """
    try:
        os.makedirs(directory, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(b"kickstarting")
        free = shutil.disk_usage(directory).free
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"cannot write to {os.fspath(directory)!r}: {_line(error)}; "
            "choose another run folder"
        ) from error
    if free < free_bytes:
        raise CheckpointError(
            f"the disk of {os.fspath(directory)!r} has {free / 2**20:.0f} MiB free, "
            f"but a run needs {free_bytes / 2**20:.0f} MiB: free some or choose "
            "another folder"
        )


def _line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    # TensorStore buries the reason in a long line of paths and source locations.
    buried = re.search(r"\[(?:OS error |os_error_code=')(\d+)", str(error))
    if buried:
        return os.strerror(int(buried.group(1)))
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:200]


def _number(folder: pathlib.Path) -> int:
    return int(folder.name.split("-")[1])


def _folders(directory: pathlib.Path) -> list[pathlib.Path]:
    """All checkpoints, finished or not, oldest first."""
    try:
        folders = [path for path in directory.iterdir() if _NAME.fullmatch(path.name)]
    except OSError:
        return []
    return sorted(folders, key=_number)


def _read_description(folder: pathlib.Path) -> dict[str, Any]:
    manifest.check(folder)
    try:
        description = json.loads((folder / _DESCRIPTION).read_text())
        version = description["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise manifest.Unsound(f"{_DESCRIPTION!r} is damaged") from error
    if version != _FORMAT:
        raise CheckpointMismatch(
            f"{folder} has format {version!r}, but this program reads {_FORMAT}: "
            "use the version that wrote it, or choose another run folder"
        )
    return description


def _load_arrays(folder: pathlib.Path, description: dict[str, Any]) -> dict[str, Any]:
    try:
        return array_files.load(folder / _STATE, description["leaves"])
    except Exception as error:
        raise CheckpointError(
            f"Orbax cannot read {folder}, though its checksums match: {_line(error)}; "
            "install the versions of requirements.txt"
        ) from error


def _check_leaves(
    folder: pathlib.Path,
    saved: Mapping[str, array_files.Signature],
    template: Mapping[str, Any],
) -> None:
    wanted = {name: array_files.signature(leaf) for name, leaf in template.items()}
    for name in [*saved, *wanted]:
        if saved.get(name) != wanted.get(name):
            raise CheckpointMismatch(
                f"{folder} holds {_text(saved.get(name))} for {name!r}, but this run "
                f"has {_text(wanted.get(name))}: {_ADVICE}"
            )


def _text(signature: array_files.Signature | None) -> str:
    return f"{signature[0]}{signature[1]}" if signature else "nothing"
