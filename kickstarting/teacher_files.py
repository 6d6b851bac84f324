"""Teachers as files: float16 weights and a card that says what they are.

A teacher is a folder of two files:

  weights.npz  one float16 array for each parameter (weight_files)
  card.json    the TeacherCard, the format's version and the sha256 of weights.npz

Teachers come from strangers: nothing in them is executed or used as a path, and sizes
are bounded before anything is read.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from kickstarting import config, types, weight_files
from kickstarting.environments import base

CARD = "card.json"
WEIGHTS = "weights.npz"

_FORMAT = 1
_MAX_CARD_BYTES = 2**20


class TeacherError(ValueError):
    """A teacher that cannot be used or written; its message is one line."""


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise TeacherError(message)


@dataclasses.dataclass(frozen=True)
class TeacherCard:
    """What a teacher is, where it comes from and how good it is.

    Attributes:
      task: `suite:level` that it was trained on.
      action_names: its action set, in order.
      frame_shape: shape [H, W, C] of the uint8 pixels that it sees.
      instruction_length: word ids that it sees; 0 without language.
      action_repeat: environment frames for each of its steps.
      network: its architecture.
      environment_frames: that it was trained on.
      mean_return: raw, over `episodes` evaluation episodes.
      standard_error: of mean_return.
      episodes: of the evaluation.
      normalised_score: of mean_return; None where the task has no reference.
      command: that made it.
      seed: of that command.
      git_revision: of the program that made it.
    """

    task: str
    action_names: tuple[str, ...]
    frame_shape: tuple[int, int, int]
    instruction_length: int
    action_repeat: int
    network: config.NetworkConfig
    environment_frames: int
    mean_return: float
    standard_error: float
    episodes: int
    normalised_score: float | None
    command: str
    seed: int
    git_revision: str

    def __post_init__(self) -> None:
        """Checks every field.

        Raises:
          TeacherError: names the field that is wrong.
        """
        for name in ("task", "command", "git_revision"):
            value = getattr(self, name)
            _require(isinstance(value, str), f"{name} must be text, not {_show(value)}")
        suite, _, level = self.task.partition(":")
        _require(
            bool(suite and level), f"task must be suite:level, not {_show(self.task)}"
        )
        _require(
            isinstance(self.action_names, tuple)
            and all(isinstance(name, str) for name in self.action_names)
            and 0 < len(self.action_names) == len(set(self.action_names)),
            f"action_names must be distinct names, not {_show(self.action_names)}",
        )
        _require(
            isinstance(self.frame_shape, tuple)
            and len(self.frame_shape) == 3
            and all(_is_whole(size, 1) for size in self.frame_shape),
            f"frame_shape must be three sizes, not {_show(self.frame_shape)}",
        )
        for name, least in (
            ("instruction_length", 0),
            ("action_repeat", 1),
            ("environment_frames", 0),
            ("episodes", 1),
            ("seed", 0),
        ):
            value = getattr(self, name)
            _require(
                _is_whole(value, least),
                f"{name} must be a whole number from {least}, not {_show(value)}",
            )
        for name in ("mean_return", "standard_error", "normalised_score"):
            value = getattr(self, name)
            _require(
                _is_finite(value) or (value is None and name == "normalised_score"),
                f"{name} must be a finite number, not {_show(value)}",
            )
        _require(self.standard_error >= 0, "standard_error must not be negative")

    @property
    def suite(self) -> str:
        """The suite of the task."""
        return self.task.partition(":")[0]


def check_matches(card: TeacherCard, spec: base.EnvironmentSpec) -> None:
    """Checks that a teacher can advise on an environment.

    Args:
      card: the teacher's.
      spec: the environment's.

    Raises:
      TeacherError: their action sets or observations differ; both are named.
    """
    for what, teachers, environments in (
        ("action set", card.action_names, spec.action_names),
        ("frame shape", card.frame_shape, spec.frame_shape),
        ("instruction length", card.instruction_length, spec.instruction_length),
    ):
        _require(
            teachers == environments,
            f"the teacher of {card.task!r} has the {what} {teachers}, but the "
            f"environment has {environments}: choose a teacher with the same {what}",
        )


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
        _require(
            has.get(name) == wants.get(name),
            f"teacher {_show(os.fspath(folder))} has {_shape(has, name)} for {name!r}, "
            f"but its card's network has {_shape(wants, name)}: export it again",
        )


def save_teacher(
    folder: str | os.PathLike[str], params: types.Params, card: TeacherCard
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
    target = pathlib.Path(folder).absolute()
    _require(
        not target.exists() or (target / CARD).is_file(),
        f"{_show(str(target))} exists and is no teacher: choose another folder",
    )
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
            f"cannot write the teacher {_show(str(target))}: {error.strerror}"
        ) from error


def load_teacher(
    folder: str | os.PathLike[str],
) -> tuple[dict[str, Any], TeacherCard]:
    """Reads a teacher's folder, trusting nothing in it.

    Returns:
      The parameters as nested dicts of float32 arrays, and the card.

    Raises:
      TeacherError: something is missing, damaged, malformed or too large.
    """
    path = pathlib.Path(folder)
    name = f"teacher {_show(os.fspath(folder))}"
    try:
        _require(path.is_dir(), "there is no such folder")
        for file in (CARD, WEIGHTS):
            _require(
                (path / file).is_file(),
                f"it has no {file}: export or download it again",
            )
        card, digest = _read_card(path / CARD)
        size = (path / WEIGHTS).stat().st_size
        _require(
            size <= weight_files.MAX_BYTES, f"{WEIGHTS} is too large: {size} bytes"
        )
        _require(
            _sha256(path / WEIGHTS) == digest,
            f"{WEIGHTS} does not match its checksum: export or download it again",
        )
        return weight_files.read(path / WEIGHTS), card
    except weight_files.WeightsError as error:
        raise TeacherError(f"{name}: {WEIGHTS} cannot be used: {error}") from error
    except TeacherError as error:
        raise TeacherError(f"{name}: {error}") from error
    # A null byte in the folder's name is a ValueError.
    except (OSError, ValueError) as error:
        raise TeacherError(f"{name} cannot be read: {_show(str(error))}") from error


def _read_card(path: pathlib.Path) -> tuple[TeacherCard, str]:
    _require(path.stat().st_size <= _MAX_CARD_BYTES, f"{CARD} is too large")
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise TeacherError(f"{CARD} is not JSON ({type(error).__name__})") from error
    _require(isinstance(content, dict), f"{CARD} is no JSON object")
    version = content.pop("format_version", None)
    _require(
        version == _FORMAT and _is_whole(version, 1),
        f"{CARD} has format_version {_show(version)}, but this program reads {_FORMAT}",
    )
    digest = content.pop("weights_sha256", None)
    _require(isinstance(digest, str), f"{CARD} has no weights_sha256")
    names = {field.name for field in dataclasses.fields(TeacherCard)}
    for name in sorted(names ^ content.keys()):
        problem = "lacks" if name in names else "has the unknown field"
        raise TeacherError(f"{CARD} {problem} {_show(name)}")
    for name in ("action_names", "frame_shape"):
        if isinstance(content[name], list):
            content[name] = tuple(content[name])
    content["network"] = _network(content["network"])
    try:
        return TeacherCard(**content), digest
    except TeacherError as error:
        raise TeacherError(f"{CARD}: {error}") from error


def _network(content: Any) -> config.NetworkConfig:
    _require(
        isinstance(content, dict)
        and content.keys() == {"torso", "core_size", "num_values"}
        and isinstance(content["torso"], str)
        and _is_whole(content["core_size"], 1)
        and _is_whole(content["num_values"], 1),
        f"{CARD}: network must have a torso, a core_size and num_values, but is "
        f"{_show(content)}",
    )
    try:
        return config.NetworkConfig(**content)
    except config.ConfigError as error:
        raise TeacherError(f"{CARD}: {_show(str(error))}") from error


def weights_sha256(folder: str | os.PathLike[str]) -> str:
    """Returns the hex digest of a teacher's weights: it says which teacher it is.

    Raises:
      TeacherError: the folder has no weights that can be read.
    """
    try:
        return _sha256(pathlib.Path(folder) / WEIGHTS)
    except OSError as error:
        raise TeacherError(f"{_show(os.fspath(folder))} has no {WEIGHTS}") from error


def _sha256(path: pathlib.Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def _shape(shapes: Mapping[str, tuple[int, ...]], name: str) -> str:
    return f"shape {shapes[name]}" if name in shapes else "nothing"


def _show(value: Any) -> str:
    """`value` in one short line."""
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."


def _is_whole(value: Any, least: int) -> bool:
    return type(value) is int and least <= value < 2**63


def _is_finite(value: Any) -> bool:
    # A whole number of JSON can be too large for a float.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max
