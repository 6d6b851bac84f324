"""Teachers as files: float16 weights and a card that says what they are.

A teacher is a folder of two files:

  weights.safetensors  one float16 array for each parameter (storage/weights.py)
  card.json            the TeacherCard, the format's version and the weights' sha256

Teachers that were exported before have a weights.npz, which is read as well.
Teachers come from strangers: nothing in them is executed or used as a path, and sizes
are bounded before anything is read.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from kickstarting.agent import trajectory
from kickstarting.storage import npz_weights
from kickstarting.storage import weights as weight_files
from kickstarting.teaching import cards as teacher_cards
from kickstarting.teaching.cards import (
    TeacherCard,
    TeacherError,
    require,
    show,
)

CARD = "card.json"
WEIGHTS = "weights.safetensors"

# Where this program is, with the teachers that come with it.
_PROGRAM = pathlib.Path(__file__).resolve().parents[2]
# By the name of the file; the first that a folder has is taken.
_READERS = {WEIGHTS: weight_files.read, "weights.npz": npz_weights.read}
_FORMAT = 2
_MAX_CARD_BYTES = 2**20


def check_shapes(
    folder: str | os.PathLike[str],
    params: Mapping[str, Any],
    expected: Mapping[str, Any],
) -> None:
    """Checks that a teacher's weights fit the network that its card names.

    Args:
      folder: the teacher's, named in the error.
      params: nested dicts of arrays, as loaded.
      expected: nested dicts of anything with a shape, as the network has them.

    Raises:
      TeacherError: a parameter is missing, is too many or has another shape.
    """
    has = {name: np.shape(leaf) for name, leaf in weight_files.flatten(params).items()}
    wants = {
        name: tuple(leaf.shape) for name, leaf in weight_files.flatten(expected).items()
    }
    for name in [*wants, *has]:
        require(
            has.get(name) == wants.get(name),
            f"teacher {show(os.fspath(folder))} has {_shape(has, name)} for {name!r}, "
            f"but its card's network has {_shape(wants, name)}: export it again",
        )


def check_target(folder: str | os.PathLike[str], overwrite: bool) -> None:
    """Checks, before anything is measured, that a teacher may be written here.

    Args:
      folder: of the teacher.
      overwrite: whether one that is there may be replaced.

    Raises:
      TeacherError: a teacher is there and must stay, or something else is.
    """
    target = pathlib.Path(folder).absolute()
    is_teacher = (target / CARD).is_file()
    require(
        is_teacher or not target.exists(),
        f"{show(str(target))} exists and is no teacher: choose another folder",
    )
    require(
        overwrite or not is_teacher,
        f"{show(str(target))} is a teacher already: choose another folder, or replace "
        "it with --overwrite",
    )


def save_teacher(
    folder: str | os.PathLike[str], params: trajectory.Params, card: TeacherCard
) -> None:
    """Writes a teacher's folder, whole or not at all; an older teacher is replaced.

    Args:
      folder: made, with its parents.
      params: nested dicts of floating-point arrays; stored as float16.
      card: describes them.

    Raises:
      TeacherError: the weights do not fit float16, `folder` holds something else than a
        teacher, or cannot be written.
    """
    check_target(folder, overwrite=True)
    target = pathlib.Path(folder).absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target, because a rename does not cross file systems.
        with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
            new, old = pathlib.Path(temporary, "new"), pathlib.Path(temporary, "old")
            new.mkdir()
            weight_files.write(new / WEIGHTS, params)
            content = {
                "format_version": _FORMAT,
                **dataclasses.asdict(card),
                "weights_sha256": _sha256(new / WEIGHTS),
            }
            (new / CARD).write_text(json.dumps(content, indent=2) + "\n")
            if target.exists():
                target.rename(old)
            new.rename(target)
    except weight_files.WeightsError as error:
        raise TeacherError(f"this cannot be a teacher: {error}") from error
    except OSError as error:
        raise TeacherError(
            f"cannot write the teacher {show(str(target))}: {error.strerror}"
        ) from error


def located(name: str | os.PathLike[str]) -> pathlib.Path:
    """Returns where the folder of a teacher is: here, else beside this program.

    So teachers/doom/basic is the one that comes with it, wherever that is started, and
    its name in a run's configuration stays the same.

    Args:
      name: a path; what is neither here nor there is taken to be here.
    """
    path = pathlib.Path(name)
    try:
        if not path.exists() and (_PROGRAM / path).exists():
            return _PROGRAM / path
    # A null byte, or a name that is too long.
    except (OSError, ValueError):
        pass
    return path


def load_teacher(
    folder: str | os.PathLike[str],
) -> tuple[dict[str, Any], TeacherCard]:
    """Reads a teacher's folder, trusting nothing in it.

    Returns:
      The parameters as nested dicts of float32 arrays, and the card.

    Raises:
      TeacherError: something is missing, damaged, malformed or too large.
    """
    path = located(folder)
    name = f"teacher {show(os.fspath(folder))}"
    try:
        require(path.is_dir(), "there is no such folder")
        weights = _weights_of(path)
        for file in (path / CARD, weights):
            require(
                file.is_file(),
                f"it has no {file.name}: export or download it again",
            )
        card, digest = _read_card(path / CARD)
        size = weights.stat().st_size
        require(
            size <= weight_files.MAX_BYTES, f"{weights.name} is too large: {size} bytes"
        )
        require(
            _sha256(weights) == digest,
            f"{weights.name} does not match its checksum: export or download it again",
        )
        return _READERS[weights.name](weights), card
    except weight_files.WeightsError as error:
        raise TeacherError(f"{name}: its weights cannot be used: {error}") from error
    except TeacherError as error:
        raise TeacherError(f"{name}: {error}") from error
    # A null byte in the folder's name is a ValueError.
    except (OSError, ValueError) as error:
        raise TeacherError(f"{name} cannot be read: {show(str(error))}") from error


def read_card(folder: str | os.PathLike[str]) -> TeacherCard:
    """Reads the card alone, trusting nothing in it.

    Raises:
      TeacherError: it is missing, damaged, malformed or too large.
    """
    try:
        return _read_card(located(folder) / CARD)[0]
    except TeacherError as error:
        raise TeacherError(f"teacher {show(os.fspath(folder))}: {error}") from error
    except (OSError, ValueError) as error:
        raise TeacherError(
            f"teacher {show(os.fspath(folder))} cannot be read: {show(str(error))}"
        ) from error


def _read_card(path: pathlib.Path) -> tuple[TeacherCard, str]:
    require(path.stat().st_size <= _MAX_CARD_BYTES, f"{CARD} is too large")
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise TeacherError(f"{CARD} is not JSON ({type(error).__name__})") from error
    require(isinstance(content, dict), f"{CARD} is no JSON object")
    version = content.pop("format_version", None)
    require(
        version == _FORMAT and isinstance(version, int),
        f"{CARD} has format_version {show(version)}, but this program reads {_FORMAT}",
    )
    digest = content.pop("weights_sha256", None)
    require(isinstance(digest, str), f"{CARD} has no weights_sha256")
    try:
        return teacher_cards.from_json(content), digest
    except TeacherError as error:
        raise TeacherError(f"{CARD}: {error}") from error


def weights_sha256(folder: str | os.PathLike[str]) -> str:
    """Returns the hex digest of a teacher's weights: it says which teacher it is.

    Raises:
      TeacherError: the folder has no weights that can be read.
    """
    try:
        return _sha256(_weights_of(located(folder)))
    except OSError as error:
        raise TeacherError(f"{show(os.fspath(folder))} has no {WEIGHTS}") from error


def _weights_of(folder: pathlib.Path) -> pathlib.Path:
    """Returns the file of weights: the newest kind that is there."""
    files = [folder / name for name in _READERS]
    return next((file for file in files if file.is_file()), folder / WEIGHTS)


def _sha256(path: pathlib.Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def _shape(shapes: Mapping[str, tuple[int, ...]], name: str) -> str:
    return f"shape {shapes[name]}" if name in shapes else "nothing"
